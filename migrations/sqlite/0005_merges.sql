-- Merges of pull requests that were begun and not ended: what a console that starts again has to find out and to go on with.
CREATE TABLE merges (
    id  TEXT PRIMARY KEY,
    row TEXT NOT NULL
) STRICT;
