"""`python -m tsrnn`: the command line. Imports cli."""

from .cli import main

if __name__ == "__main__":
    main()
