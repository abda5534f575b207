"""python -m warmstart"""

import os

from warmstart.base.launched import launched
from warmstart.cli.main import main

there = launched()
if there is not None and there.rank:
    from warmstart.street.helping import main as help_to_train

    os._exit(help_to_train(there))  # nothing is left to put away, and the first process waits for this end
raise SystemExit(main())
