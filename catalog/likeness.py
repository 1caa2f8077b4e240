from PIL import Image


def perceptual_hash(image: Image.Image) -> str:
    import imagehash

    return str(imagehash.phash(image))
