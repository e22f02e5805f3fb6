"""``python -m monitor`` is ``sla-monitor``."""

from monitor.cli import main

if __name__ == "__main__":
    main()
