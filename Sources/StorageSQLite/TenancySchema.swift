internal import GRDB

/// The tables of `tenancy.db`, by numbered migrations that only go forward.
enum TenancySchema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("001 tenants, people, keys, roles") { db in try db.execute(sql: first) }
    migrator.registerMigration("002 whose rows have changed") { db in try db.execute(sql: marks) }
    return migrator
  }

  /// The empty id: those who administer.
  ///
  /// Triggers mark, not the statements of the stores: they see what goes with a deleted row, too, and what a process of
  /// an older version does to the same file.
  private static var marks: String {
    let tables = """
      CREATE TABLE touched (tenant BLOB PRIMARY KEY NOT NULL, change INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE INDEX touched_change ON touched (change);

      """
    return tables
      + mark("tenants", "id") + mark("projects", "tenant") + mark("keys", "tenant") + mark("overrides", "tenant")
      + mark("users", "tenant", "x''") + mark("admin_tokens", "x''") + mark("bindings", "x''")
      + trigger("tenants_standing", "AFTER UPDATE OF standing ON tenants", ["x''"])
      + trigger("tenants_deleted", "AFTER DELETE ON tenants", ["x''"])
  }

  /// - Parameter whose: A column of the table, or the empty id.
  private static func mark(_ table: String, _ whose: String...) -> String {
    func of(_ row: String) -> [String] { whose.map { $0.hasPrefix("x") ? $0 : "\(row).\($0)" } }
    return trigger("\(table)_inserted_mark", "AFTER INSERT ON \(table)", of("NEW"))
      + trigger("\(table)_updated_mark", "AFTER UPDATE ON \(table)", of("NEW"))
      + trigger("\(table)_deleted_mark", "AFTER DELETE ON \(table)", of("OLD"))
  }

  /// Every change raises the counter by one after it has written its rows.
  private static func trigger(_ name: String, _ event: String, _ whose: [String]) -> String {
    // An upsert: of a conflict clause, that of the statement outside would count.
    let marks = whose.map {
      "INSERT INTO touched SELECT \($0), change + 1 FROM counter WHERE \($0) IS NOT NULL "
        + "ON CONFLICT (tenant) DO UPDATE SET change = excluded.change;"
    }
    return "CREATE TRIGGER \(name) \(event) BEGIN \(marks.joined(separator: " ")) END;\n"
  }

  private static let first = """
    CREATE TABLE tenants (
      id BLOB PRIMARY KEY NOT NULL, slug TEXT NOT NULL UNIQUE, name TEXT NOT NULL, standing TEXT NOT NULL,
      policy TEXT NOT NULL, tag TEXT, zone TEXT NOT NULL, currency TEXT NOT NULL, created INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE projects (
      id BLOB PRIMARY KEY NOT NULL, tenant BLOB NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
      slug TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL, UNIQUE (tenant, slug)
    ) STRICT;
    CREATE TABLE users (
      id BLOB PRIMARY KEY NOT NULL, tenant BLOB REFERENCES tenants(id) ON DELETE CASCADE,
      name TEXT NOT NULL, email TEXT NOT NULL, standing TEXT NOT NULL, created INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX users_email ON users (ifnull(tenant, x''), email);
    CREATE TABLE keys (
      id BLOB PRIMARY KEY NOT NULL, tenant BLOB NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
      project BLOB NOT NULL REFERENCES projects(id) ON DELETE CASCADE, user BLOB,
      name TEXT NOT NULL, role TEXT NOT NULL, digest BLOB NOT NULL, models TEXT, networks TEXT NOT NULL,
      expires INTEGER, revoked INTEGER, created INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX keys_tenant ON keys (tenant);
    CREATE INDEX keys_project ON keys (project);
    CREATE TABLE admin_tokens (
      id BLOB PRIMARY KEY NOT NULL, user BLOB NOT NULL REFERENCES users(id) ON DELETE CASCADE,
      digest BLOB NOT NULL, expires INTEGER NOT NULL, created INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX admin_tokens_user ON admin_tokens (user);
    CREATE TABLE bindings (
      id BLOB PRIMARY KEY NOT NULL, user BLOB NOT NULL REFERENCES users(id) ON DELETE CASCADE, role TEXT NOT NULL,
      tenant BLOB REFERENCES tenants(id) ON DELETE CASCADE, project BLOB REFERENCES projects(id) ON DELETE CASCADE,
      reason TEXT NOT NULL, expires INTEGER, granted_by BLOB, granted_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX bindings_user ON bindings (user);
    CREATE INDEX bindings_tenant ON bindings (tenant);
    CREATE INDEX bindings_project ON bindings (project);
    CREATE TABLE overrides (
      tenant BLOB NOT NULL REFERENCES tenants(id) ON DELETE CASCADE, key BLOB NOT NULL, dimension TEXT NOT NULL,
      value INTEGER NOT NULL, PRIMARY KEY (tenant, key, dimension)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sealed_keys (
      tenant BLOB NOT NULL REFERENCES tenants(id) ON DELETE CASCADE, name TEXT NOT NULL, bytes BLOB NOT NULL,
      PRIMARY KEY (tenant, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE policy_sets (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL, content BLOB NOT NULL,
      applied INTEGER NOT NULL, applied_by BLOB
    ) STRICT;
    CREATE TABLE audit (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL, tenant BLOB,
      action TEXT NOT NULL, target TEXT NOT NULL, detail TEXT NOT NULL
    ) STRICT;
    CREATE INDEX audit_tenant ON audit (tenant, sequence);
    CREATE TABLE counter (id INTEGER PRIMARY KEY CHECK (id = 1), change INTEGER NOT NULL) STRICT;
    INSERT INTO counter VALUES (1, 1);
    """
}
