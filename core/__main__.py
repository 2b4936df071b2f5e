"""``python -m tonesmith`` is the command ``tonesmith``."""

from tonesmith.cli import main

if __name__ == "__main__":
    main()
