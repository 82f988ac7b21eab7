-- The event log, made to be searched. What is looked for is computed from the row when it is written, so that it can never say anything else.
CREATE TABLE events_anew (
    id           INTEGER PRIMARY KEY,
    at           INTEGER NOT NULL,
    kind         TEXT    NOT NULL GENERATED ALWAYS AS (row ->> '$.type') STORED,
    severity     TEXT    NOT NULL GENERATED ALWAYS AS (row ->> '$.severity') STORED,
    cluster_id   TEXT    GENERATED ALWAYS AS (row ->> '$.cluster_id') STORED,
    project_id   TEXT    GENERATED ALWAYS AS (row ->> '$.project_id') STORED,
    worker_id    TEXT    GENERATED ALWAYS AS (row ->> '$.worker_id') STORED,
    net_id       TEXT    GENERATED ALWAYS AS (row ->> '$.net_id') STORED,
    host_id      TEXT    GENERATED ALWAYS AS (row ->> '$.host_id') STORED,
    of_hosts     INTEGER NOT NULL GENERATED ALWAYS AS (coalesce(row ->> '$.of_hosts', 0)) STORED,
    acknowledged INTEGER NOT NULL GENERATED ALWAYS AS (row ->> '$.acknowledged' IS NOT NULL) STORED,
    -- Who may see it: 'hosts' takes a role in the fleet, '' is for everybody, anything else is the project that one must be a member of.
    scope        TEXT    NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN coalesce(row ->> '$.of_hosts', 0) OR row ->> '$.host_id' IS NOT NULL THEN 'hosts'
            ELSE coalesce(row ->> '$.project_id', '')
        END
    ) STORED,
    row          TEXT    NOT NULL
) STRICT;

-- Words that begin like what is searched for are found in order of the number of the event, newest first. Beside the words of the sentence
-- there are marks of what else is filtered by, which no word of a sentence can be: so a search within a project, of one type, looks at
-- nothing else. No phrases are looked for, hence `detail`.
CREATE VIRTUAL TABLE events_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = 'none', prefix = '1 2 3 4 5 6 7 8', tokenize = 'unicode61 remove_diacritics 0'
);

CREATE TRIGGER events_written AFTER INSERT ON events_anew BEGIN
    INSERT INTO events_words (rowid, words) VALUES (
        new.id,
        new.row ->> '$.text' || ' ' || new.kind || ' ' || coalesce(new.row ->> '$.actor.name', 'the console')
            || ' ' || char(0xE001) || replace(new.scope, '-', '')
            || ' ' || char(0xE002) || new.severity
            || ' ' || char(0xE003) || replace(replace(new.kind, '.', ''), '_', '')
            || coalesce(' ' || char(0xE000) || replace(new.cluster_id, '-', ''), '')
            || coalesce(' ' || char(0xE000) || replace(new.project_id, '-', ''), '')
            || coalesce(' ' || char(0xE000) || replace(new.worker_id, '-', ''), '')
            || coalesce(' ' || char(0xE000) || replace(new.net_id, '-', ''), '')
            || coalesce(' ' || char(0xE000) || replace(new.host_id, '-', ''), '')
    );
END;

CREATE TRIGGER events_forgotten AFTER DELETE ON events_anew BEGIN
    DELETE FROM events_words WHERE rowid = old.id;
END;

INSERT INTO events_anew (id, at, row) SELECT id, at, row FROM events ORDER BY id;
DROP TABLE events;
ALTER TABLE events_anew RENAME TO events;

-- Each is in order of the number within its column; the first also answers how many there are of each type in a stretch of time.
CREATE INDEX events_at ON events (at, kind, severity);
CREATE INDEX events_kind ON events (kind);
CREATE INDEX events_severity ON events (severity);
CREATE INDEX events_scope ON events (scope);
CREATE INDEX events_cluster ON events (cluster_id) WHERE cluster_id IS NOT NULL;
CREATE INDEX events_project ON events (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX events_worker ON events (worker_id) WHERE worker_id IS NOT NULL;
CREATE INDEX events_net ON events (net_id) WHERE net_id IS NOT NULL;
CREATE INDEX events_host ON events (host_id) WHERE host_id IS NOT NULL;
CREATE INDEX events_acknowledged ON events (acknowledged) WHERE acknowledged = 1;
