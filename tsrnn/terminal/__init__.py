"""The parts of the command line: what `tsrnn.cli` puts together into commands.

In reading order: `models` (their names), `advice` (the library's messages in words of the terminal), `reporting`
(errors and warnings as lines on stderr), `options` and `layout` (what may follow a command), `signatures` (how a
command takes them); `source`, `cells`, `numerals`, `stamps` and `reading` (a CSV file becomes text, cells, numbers,
times, a frame; `parquet` reads cells that know their type, and `formats` says what such files are known by); `outputs`
(files to write), `display` (tables on stdout), `charts`, `demo`. What imports pandas, `source` to `reading`, is
imported by a command that reads; so are networks and matplotlib: help is there at once.
"""
