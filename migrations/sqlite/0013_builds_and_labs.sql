-- Versions of nets, their builds and what those found, and labs. All of it goes with its net.

CREATE TABLE net_versions (
    net_id     TEXT    NOT NULL REFERENCES nets (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    definition TEXT    NOT NULL REFERENCES definitions (hash),
    row        TEXT    NOT NULL,
    PRIMARY KEY (net_id, number)
) STRICT;

-- What there was before had one version each.
INSERT INTO net_versions (net_id, number, definition, row)
SELECT id, 1, definition,
       json_object('number', 1, 'definition', definition, 'size', json_extract(row, '$.size'),
                   'at', json_extract(row, '$.created_at'), 'actor', json_object('kind', 'system'))
FROM nets;

CREATE INDEX net_versions_by_definition ON net_versions (definition);

CREATE TABLE builds (
    id      TEXT    PRIMARY KEY,
    net_id  TEXT    NOT NULL REFERENCES nets (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    is_over INTEGER NOT NULL,
    row     TEXT    NOT NULL
) STRICT;

CREATE INDEX builds_by_net ON builds (net_id, version);
CREATE INDEX builds_open ON builds (id) WHERE is_over = 0;

-- What a build found, by content: the same definition within the same budget is not analysed twice.
CREATE TABLE reports (
    definition TEXT    PRIMARY KEY REFERENCES definitions (hash) ON DELETE CASCADE,
    at         INTEGER NOT NULL,
    report     TEXT    NOT NULL
) STRICT;

CREATE TABLE labs (
    id         TEXT PRIMARY KEY,
    net_id     TEXT NOT NULL REFERENCES nets (id) ON DELETE CASCADE,
    definition TEXT NOT NULL REFERENCES definitions (hash),
    row        TEXT NOT NULL
) STRICT;

CREATE INDEX labs_by_net ON labs (net_id);

-- The results of a lab as its worker last told them.
CREATE TABLE lab_results (
    lab_id TEXT    PRIMARY KEY REFERENCES labs (id) ON DELETE CASCADE,
    at     INTEGER NOT NULL,
    result TEXT    NOT NULL
) STRICT;
