"""The `mimir` command. Tells serving from everything else before importing either."""

import sys
from pathlib import Path


def main() -> None:
    """Run the command line of this process and exit with its code."""
    arguments = sys.argv[1:]
    from mimir_py.cli.serve import is_serving, parse_serve
    from mimir_py.config import calm_numeric_threads

    calm_numeric_threads()

    if is_serving(arguments, interactive=sys.stdin is not None and sys.stdin.isatty()):
        settings = parse_serve(arguments)
        from mimir_py.server.serve import run

        sys.exit(run(settings, Path.home(), Path.cwd()))
    from mimir_py.cli.main import run_command

    sys.exit(run_command(arguments))


if __name__ == "__main__":
    main()
