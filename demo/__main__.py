"""``python -m demo FOLDER``: make the demo catalog."""

import signal
import sys

if __name__ == "__main__":
    heeds_ctrl_c = signal.getsignal(signal.SIGINT) == signal.default_int_handler
    if heeds_ctrl_c:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback out of the middle of an import
    from demo.foods import main

    if heeds_ctrl_c:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
