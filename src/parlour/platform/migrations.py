"""Forward migrations by Alembic; imported only when one is due, because that takes longer than everything else of the SQL database."""

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from parlour.platform.errors import TablesNewer


def upgrade(connection: Connection, scripts: Path, service: str) -> None:
    """Bring the tables of a service to the newest revision in `scripts`/versions, within the connection's transaction.

    Raises:
        TablesNewer: they are of a revision that is not there.
    """
    config = Config()
    config.set_main_option("script_location", str(scripts))
    directory = ScriptDirectory.from_config(config)

    def steps(revision: Any, _context: object) -> Any:
        known = {script.revision for script in directory.walk_revisions()}
        current = revision if isinstance(revision, tuple) else ((revision,) if revision else ())
        if any(item not in known for item in current):
            raise TablesNewer(
                f"the {service} tables were made by a newer Parlour (revision {current[0]}): upgrade this program"
            )
        return directory._upgrade_revs("head", revision)  # noqa: SLF001 - alembic's own env.py template calls it through command.upgrade

    with EnvironmentContext(config, directory, fn=steps) as environment:
        environment.configure(
            connection=connection,
            version_table=f"alembic_version_{service}",
            render_as_batch=True,
            transaction_per_migration=False,
        )
        environment.run_migrations()
