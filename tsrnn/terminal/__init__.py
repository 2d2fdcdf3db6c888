"""The parts of the command line: what `tsrnn.cli` puts together into commands.

In reading order: `reporting` (errors and warnings as lines on stderr), `models` (their names), `options` (words after
a command), `reading` (CSV files), `outputs` (files to write), `display` (tables on stdout), `charts`, `demo`. pandas,
the networks and matplotlib are imported inside functions only, so that help is there at once.
"""
