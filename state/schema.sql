CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO counters VALUES ('incident', 0);

CREATE TABLE IF NOT EXISTS incidents (
    id TEXT PRIMARY KEY, version INTEGER NOT NULL, status TEXT NOT NULL, open INTEGER NOT NULL,
    key TEXT NOT NULL, subject TEXT NOT NULL, owner TEXT NOT NULL,
    opened_at TEXT NOT NULL, changed_at TEXT NOT NULL, state TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS incidents_by_key ON incidents (open, key);

-- Append only: the triggers below refuse changes.
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY, incident TEXT NOT NULL REFERENCES incidents (id),
    version INTEGER NOT NULL, at TEXT NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL,
    UNIQUE (incident, version)
);
CREATE TRIGGER IF NOT EXISTS events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS events_remain BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;

CREATE TABLE IF NOT EXISTS outcomes (incident TEXT PRIMARY KEY, proposed TEXT, recorded TEXT);

CREATE TABLE IF NOT EXISTS places (
    incident TEXT NOT NULL REFERENCES incidents (id), channel TEXT NOT NULL,
    thread TEXT NOT NULL DEFAULT '', is_primary INTEGER NOT NULL,
    PRIMARY KEY (incident, channel)
);

-- The outbox: what each message should say (wanted) and what Slack was last told (sent).
CREATE TABLE IF NOT EXISTS posts (
    incident TEXT NOT NULL REFERENCES incidents (id), channel TEXT NOT NULL, name TEXT NOT NULL,
    position INTEGER NOT NULL, payload TEXT NOT NULL, wanted TEXT NOT NULL,
    sent TEXT NOT NULL DEFAULT '', ts TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0,
    sending REAL NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (incident, channel, name)
);
CREATE INDEX IF NOT EXISTS posts_by_message ON posts (channel, ts);

-- Due work: claimed with a lease, so that a crash or a second process neither loses nor doubles it.
CREATE TABLE IF NOT EXISTS due (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, incident TEXT NOT NULL, payload TEXT NOT NULL,
    at TEXT NOT NULL, leased_until REAL NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS due_by_time ON due (at);

CREATE TABLE IF NOT EXISTS said (
    incident TEXT NOT NULL, channel TEXT NOT NULL, ts TEXT NOT NULL, user TEXT NOT NULL,
    text TEXT NOT NULL, permalink TEXT NOT NULL, pinned INTEGER NOT NULL,
    in_thread INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (channel, ts)
);
-- What people asked to see beside the tree, with the answers.
CREATE TABLE IF NOT EXISTS looks (
    incident TEXT NOT NULL REFERENCES incidents (id), number INTEGER NOT NULL,
    channel TEXT NOT NULL, user TEXT NOT NULL, at TEXT NOT NULL, asked TEXT NOT NULL,
    question TEXT NOT NULL, evidence TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (incident, number)
);
CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS evidence (key TEXT PRIMARY KEY, evidence TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS charts (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, alt TEXT NOT NULL, png BLOB NOT NULL,
    file TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
-- The full text of each incident's record, and what it was when it was indexed (state/search.py).
CREATE VIRTUAL TABLE IF NOT EXISTS record USING fts5 (incident UNINDEXED, text);
CREATE TABLE IF NOT EXISTS indexed (
    incident TEXT PRIMARY KEY, version INTEGER NOT NULL, said INTEGER NOT NULL
);
