package dev.lakemill.server;

import java.util.Locale;

/** Every key of lakemill.yml that holds one value, with its default and its meaning. */
enum Setting {
    NODE("node", "node-1", "name of this node; part of the transaction ids in Delta"),
    DATA("data", ".lakemill", "folder for all data, beside lakemill.yml unless absolute"),
    GOVERNANCE("governance", "", "SQL file of principals and grants, applied at every start"),
    MODELS("models", "models", "folder of models, registered at every start if it is there"),
    GRPC_HOST("grpc.host", "127.0.0.1", "address that producers connect to"),
    GRPC_PORT("grpc.port", "7077", "port that producers connect to; 0 picks a free one"),
    GRPC_CERTIFICATE("grpc.certificate", "", "PEM file; with grpc.key turns TLS on"),
    GRPC_KEY("grpc.key", "", "PEM file of the certificate's private key"),
    INGEST_STREAM_ROWS("ingest.stream_rows_per_s", "0", "rows a second of a stream; 0: any number"),
    INGEST_STREAM_MB("ingest.stream_mb_per_s", "0", "MB a second of a stream; 0: any number"),
    INGEST_TABLE_ROWS("ingest.table_rows_per_s", "0", "rows a second to a table; 0: any number"),
    INGEST_TABLE_MB("ingest.table_mb_per_s", "0", "MB a second to a table; 0: any number"),
    INGEST_PRINCIPAL_ROWS(
            "ingest.principal_rows_per_s", "0", "rows a second of a principal; 0: any number"),
    INGEST_PRINCIPAL_MB(
            "ingest.principal_mb_per_s", "0", "MB a second of a principal; 0: any number"),
    HTTP_HOST("http.host", "127.0.0.1", "address of REST, pages and metrics"),
    HTTP_PORT("http.port", "8080", "port of REST, pages and metrics; 0 picks a free one"),
    HTTP_PUBLIC_URL("http.public_url", "", "URL that users see; empty: http.host and http.port"),
    HOSTING_DOMAIN("hosting.domain", "", "domain whose hosts are apps; empty: http.public_url's"),
    HOSTING_UID_FIRST(
            "hosting.uid_first", "58000", "first of 100 system users of apps, when we are root"),
    OIDC_ISSUER("oidc.issuer", "", "OpenID provider whose tokens are taken; empty: none"),
    OIDC_AUDIENCE("oidc.audience", "", "audience that its tokens must have"),
    OIDC_NAME_CLAIM("oidc.name_claim", "email", "its claim with the name of a principal"),
    OIDC_CREATE_USERS("oidc.create_users", "false", "make users of those who are not known yet"),
    POSTGRES_URL("postgres.url", "", "JDBC URL of a Postgres of your own; empty: embedded"),
    POSTGRES_HOST("postgres.host", "127.0.0.1", "address that Postgres clients connect to"),
    POSTGRES_PORT("postgres.port", "5433", "port that they connect to; 0 picks a free one"),
    POSTGRES_CERTIFICATE("postgres.certificate", "", "PEM file; empty: one is made and kept"),
    POSTGRES_KEY("postgres.key", "", "PEM file of the certificate's private key"),
    POSTGRES_END_AT_EXPIRY("postgres.end_at_expiry", "false", "end connections with their token"),
    POSTGRES_SPIN_US("postgres.spin_us", "50", "the door looks for bytes before it sleeps; 0: no"),
    POSTGRES_BIN("postgres.bin", "", "folder with postgres and initdb; empty: the ones we bring"),
    POSTGRES_USER("postgres.user", "", "system user of Postgres when we are root; empty: any"),
    POSTGRES_CONNECTIONS("postgres.max_connections", "64", "connections that Postgres accepts"),
    POSTGRES_GRANTS_CHECK_SECONDS(
            "postgres.grants_check_seconds",
            "5",
            "between looks whether Postgres still has exactly the catalog's grants"),
    CAPTURE_SCHEMAS(
            "capture.schemas",
            "",
            "schemas (catalog.schema, commas between) whose state tables go into Delta"),
    LOG_SEGMENT_MB("log.segment_mb", "64", "size of one file of the write-ahead log"),
    LOG_TOTAL_MB("log.total_mb", "4096", "the write-ahead log at most; producers wait beyond it"),
    LANDING_INTERVAL_MS("landing.interval_ms", "1000", "between commits of a Bronze table"),
    LANDING_PENDING_MB("landing.pending_mb", "64", "rows of a table waiting for Delta at most"),
    FEED_BUFFER_MB("feed.buffer_mb", "16", "rows of a table kept in memory for its readers"),
    PIPELINE_MEMORY_MB("pipeline.memory_mb", "256", "memory of a pipeline's engine; then disk"),
    PIPELINE_THREADS("pipeline.threads", "1", "threads of a pipeline's engine"),
    PIPELINE_COMMIT_MS("pipeline.commit_ms", "2000", "between commits of a pipeline's outputs"),
    PIPELINE_AUDIT_S(
            "pipeline.audit_s",
            "0",
            "between audits, each of one view against its query; 0 for none"),
    PIPELINE_VIEWS(
            "pipeline.views", "measured", "how views are kept: measured, incremental, recompute"),
    S3_ENDPOINT("s3.endpoint", "", "URL of a store that speaks S3; empty: AWS"),
    S3_REGION("s3.region", "", "region of its buckets; empty: as the AWS SDK finds it"),
    S3_PATH_STYLE("s3.path_style", "", "true: buckets in URLs' paths; empty: with s3.endpoint"),
    S3_OBJECT_MB("s3.object_mb", "1024", "size of an object that is read at most"),
    S3_LIST_S("s3.list_s", "10", "seconds between lists of a bucket's new objects"),
    SYNC_GROUPS("sync.groups_max", "8", "groups of synced tables; each keeps a connection"),
    PIPELINE_BATCH_ROWS("pipeline.batch_rows", "100000", "rows of one micro-batch at most"),
    AUDIT_RETENTION_DAYS(
            "audit.retention_days",
            "365",
            "audit records stay in Postgres; Delta keeps them; 0: for good"),
    BACKUP_FOLDER("backup.folder", "", "folder that backups go to; empty: none are made"),
    BACKUP_INTERVAL_S("backup.interval_s", "60", "between moments that can be restored in full"),
    BACKUP_WAITING_MB(
            "backup.waiting_mb", "4096", "of Postgres's log, when backup.folder takes no more"),
    AGENTS_SMTP_URL(
            "agents.smtp_url", "", "smtp://host:587 or smtps://host:465; empty: e-mail waits"),
    AGENTS_SMTP_USER("agents.smtp_user", "", "user of the mail server; empty: it asks for none"),
    AGENTS_SMTP_PASSWORD_FILE("agents.smtp_password_file", "", "file with that user's password"),
    AGENTS_RETENTION_DAYS("agents.retention_days", "365", "ended runs stay; 0: for good"),
    AGENTS_MAIL_FROM("agents.mail_from", "", "address that agents' e-mail comes from"),
    SQL_MEMORY_MB("sql.memory_mb", "256", "memory of a query over the lake; then disk"),
    SQL_TIMEOUT_S("sql.timeout_s", "60", "seconds that a query over the lake may take"),
    SQL_ROWS("sql.rows", "10000", "rows that a query over the lake gives at most"),
    SQL_PARALLEL("sql.parallel", "2", "queries over the lake that run at a time");

    private final String key;
    private final String initial;
    private final String meaning;

    Setting(String key, String initial, String meaning) {
        this.key = key;
        this.initial = initial;
        this.meaning = meaning;
    }

    /** As in lakemill.yml, levels joined by dots. */
    String key() {
        return key;
    }

    String initial() {
        return initial;
    }

    String meaning() {
        return meaning;
    }

    /** The environment variable that overrides the file. */
    String variable() {
        return "LAKEMILL_" + key.toUpperCase(Locale.ROOT).replace('.', '_');
    }
}
