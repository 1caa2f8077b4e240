"""Images of every kind as bytes, made where they are needed."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

ORIENTATION = 0x0112
RED, GREEN, BLUE, WHITE, BLACK = (220, 30, 30), (30, 160, 60), (40, 60, 200), (255, 255, 255), (0, 0, 0)


def encode(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right: no turn leaves it as it was."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def photo(width: int = 400, height: int = 300, format: str = "JPEG", **options: Any) -> bytes:
    """Smooth waves of colour, as hard to compress as a photograph."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / 17 + phase) * np.cos(y / 23 - phase) * 120 + 128 for phase in (0, 1, 2)]
    return encode(Image.fromarray(np.stack(waves, axis=-1).astype(np.uint8)), format, **options)


_STORED_AS = {
    1: (),
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_90,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_270,),
}


def turned(orientation: int, format: str = "JPEG") -> bytes:
    """``quarters`` stored turned, with the EXIF orientation that says how to turn it back."""
    image = quarters()
    for step in _STORED_AS[orientation]:
        image = image.transpose(step)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encode(image, format, exif=exif, **({"quality": 95} if format == "JPEG" else {}))


def broken_exif() -> bytes:
    """A JPEG that decodes and whose EXIF block breaks off."""
    return encode(quarters(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09\x01\x12\0\x03")


def cmyk() -> bytes:
    """A JPEG of pure cyan, as Adobe's programs store it: inverted."""
    return encode(Image.new("CMYK", (32, 32), (255, 0, 0, 0)), "JPEG", quality=95)


def grey16(format: str = "PNG") -> bytes:
    """From black to white in 16 bits, left to right, 256 wide."""
    ramp = np.tile(np.arange(256, dtype=np.uint16) * 257, (16, 1))
    return encode(Image.fromarray(ramp), format)


def grey32() -> bytes:
    """A TIFF of 32-bit floats from -1 to 1, left to right."""
    return encode(Image.fromarray(np.tile(np.linspace(-1, 1, 256, dtype=np.float32), (16, 1))), "TIFF")


def palette(transparent: int | bytes | None = None, format: str = "PNG") -> bytes:
    """Left half colour 0, red; right half colour 1, blue; either may be transparent."""
    image = Image.new("P", (32, 16), 0)
    image.putpalette([*RED, *BLUE])
    image.paste(1, (16, 0, 32, 16))
    return encode(image, format, **({} if transparent is None else {"transparency": transparent}))


def half_transparent(mode: str = "RGBA", format: str = "PNG") -> bytes:
    """Black; the left half is opaque, the right half transparent."""
    image = Image.new("LA", (32, 16), (0, 255))
    image.paste((0, 0), (16, 0, 32, 16))
    return encode(image.convert(mode), format, **({"lossless": True} if format == "WEBP" else {}))


def animated(format: str) -> bytes:
    """Three frames: red, green, blue."""
    first, *more = (Image.new("RGB", (32, 32), color) for color in (RED, GREEN, BLUE))
    return encode(first, format, save_all=True, append_images=more, duration=100, loop=0)


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A valid PNG of black pixels at one bit each, about 110 kB."""
    row = bytes(1 + (width + 7) // 8)
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def scanned(times: int, side: int = 64, **options: Any) -> bytes:
    """A progressive JPEG whose last scan is there so many times more; each is decoded again."""
    data = encode(Image.new("L", (side, side), 128), "JPEG", progressive=True, **options)
    last, end = data.rfind(b"\xff\xda"), data.rfind(b"\xff\xd9")
    return data[:end] + times * data[last:end] + data[end:]


def on_transparent(shape: str, color: tuple[int, ...] = WHITE, side: int = 200) -> Image.Image:
    """A shape of one colour on nothing: ``circle``, ``square``, ``bar`` or ``ring``; a fourth value is its opacity."""
    image = Image.new("RGBA", (side, side), (*color[:3], 0))
    draw, box = ImageDraw.Draw(image), (side * 0.2, side * 0.2, side * 0.8, side * 0.8)
    if shape == "circle":
        draw.ellipse(box, fill=color)
    elif shape == "ring":
        draw.ellipse(box, outline=color, width=side // 10)
    else:
        draw.rectangle(box if shape == "square" else (0, side * 0.4, side, side * 0.6), fill=color)
    return image


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
