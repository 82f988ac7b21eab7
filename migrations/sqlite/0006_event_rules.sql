-- What the operators decided about events: one row.
CREATE TABLE event_rules (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    row TEXT NOT NULL
) STRICT;
