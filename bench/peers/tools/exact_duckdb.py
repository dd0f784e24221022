"""DuckDB: lower case, white space folded by a regular expression, distinct texts counted by their MD5."""

import duckdb

from bench.peers.tools.meter import Meter, arguments

QUERY = "select count(*), count(distinct md5_number(trim(regexp_replace(lower(text), '\\s+', ' ', 'g')))) from texts"


def main() -> None:
    """Count the documents beyond the first of each group."""
    path, _, _ = arguments()
    base = duckdb.connect()
    base.execute("create table texts as select text from read_parquet(?)", [str(path)])
    meter = Meter()
    with meter.running():
        documents, distinct = base.execute(QUERY).fetchall()[0]
    meter.tell(beyond=documents - distinct, threads=base.execute("select current_setting('threads')").fetchall()[0][0])


if __name__ == "__main__":
    main()
