"""python -m smearlab"""

import sys

from smearlab.cli.parser import main

if __name__ == "__main__":
    sys.exit(main())
