-- Addresses that are told of events. `cursor` is the last event that was dealt with: taken by the receiver, given up, or not for it.
-- The secret signs what is sent, so it is kept as it is.
CREATE TABLE webhooks (
    id     TEXT PRIMARY KEY,
    row    TEXT    NOT NULL,
    secret BLOB    NOT NULL CHECK (length(secret) = 32),
    cursor INTEGER NOT NULL
) STRICT;
