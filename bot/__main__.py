"""`python -m bot`, the same as the script `handover-bot`."""

from bot.cli import main

if __name__ == "__main__":
    main(prog_name="handover-bot")
