"""python -m warmstart"""

from warmstart.base.launched import launched
from warmstart.cli.main import main

there = launched()
if there is not None and there.rank:
    from warmstart.street.helping import main as help_to_train

    raise SystemExit(help_to_train(there))
raise SystemExit(main())
