package dev.lakemill.postgres;

import static dev.lakemill.postgres.Relation.literal;
import static dev.lakemill.postgres.Relation.quoted;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The steps that make what is found what is wanted. */
final class Reconciliation {
    private static final String UNFIT =
            "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT";

    private final Wanted wanted;
    private final Found found;
    private final List<Step> steps = new ArrayList<>();

    /** Names of principals that roles of others bear already: they get nothing. */
    private final Set<String> foreign = new TreeSet<>();

    Reconciliation(Wanted wanted, Found found) {
        this.wanted = wanted;
        this.found = found;
        wanted.roles()
                .forEach(
                        (name, role) -> {
                            if (isForeign(name, role)) {
                                foreign.add(name);
                            }
                        });
    }

    private boolean isForeign(String name, Wanted.Role wanted) {
        var there = found.roles().get(name);
        return (Roles.isReserved(name) && !wanted.mark().startsWith(Wanted.Role.OWNER_MARK))
                || (there != null && !isOurs(there));
    }

    private static boolean isOurs(Found.Role role) {
        return role.mark().startsWith(Wanted.Role.MARK);
    }

    Set<String> foreign() {
        return foreign;
    }

    /** In the order in which they are to be taken. */
    List<Step> steps() {
        new TreeMap<>(found.roles()).forEach(this::dropUnlessKept);
        new TreeMap<>(wanted.roles()).forEach(this::role);
        revokeMemberships();
        grantMemberships();
        database();
        new TreeMap<>(wanted.schemas()).forEach(this::schema);
        var names = new TreeSet<>(wanted.tables().keySet());
        found.tables().keySet().stream().filter(name -> !name.isHidden()).forEach(names::add);
        names.stream().filter(name -> !found.pending().contains(name)).forEach(this::table);
        new TreeMap<>(found.sequences()).forEach(this::sequence);
        return steps;
    }

    /** Roles that own tables stay: they have no login, and members only while they are wanted. */
    private void dropUnlessKept(String name, Found.Role role) {
        var kept = wanted.roles().get(name);
        var ends = kept == null || !kept.mark().equals(role.mark());
        if (isOurs(role) && ends && !role.mark().startsWith(Wanted.Role.OWNER_MARK)) {
            drop(name);
        }
    }

    private void add(String subject, List<String> commands) {
        add(subject, "", commands);
    }

    private void add(String subject, String granted, List<String> commands) {
        if (!commands.isEmpty()) {
            steps.add(new Step(subject, null, granted, commands));
        }
    }

    /** Objects that it owns against the rules stay, as ours. */
    private void drop(String name) {
        var role = quoted(name);
        add(
                "role " + name,
                List.of(
                        "ALTER ROLE %s NOLOGIN".formatted(role),
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = "
                                + literal(name),
                        "REASSIGN OWNED BY %s TO %s".formatted(role, Roles.OBJECTS),
                        "DROP OWNED BY " + role,
                        "DROP ROLE " + role));
        found.forget(name);
    }

    private void role(String name, Wanted.Role role) {
        if (foreign.contains(name)) {
            return;
        }
        var there = found.roles().get(name);
        var commands = new ArrayList<String>();
        var login = role.login() ? " LOGIN" : " NOLOGIN";
        if (there == null) {
            commands.add("CREATE ROLE " + quoted(name) + login);
            commands.add("COMMENT ON ROLE %s IS %s".formatted(quoted(name), literal(role.mark())));
            if (!isSuperuser()) {
                // Who is none ends sessions and drops roles by being in them.
                commands.add("GRANT %s TO CURRENT_USER WITH INHERIT TRUE".formatted(quoted(name)));
            }
        } else if (!there.fit()) {
            commands.add("ALTER ROLE %s %s%s".formatted(quoted(name), UNFIT, login));
        } else if (there.login() != role.login()) {
            commands.add("ALTER ROLE " + quoted(name) + login);
        }
        add("role " + name, commands);
    }

    private boolean isSuperuser() {
        var us = found.roles().get(found.us());
        return us != null && us.superuser();
    }

    /** Of ours in anything, and of anything in ours. */
    private void revokeMemberships() {
        for (var membership : found.memberships()) {
            var ours = isPrincipal(membership.group()) || isPrincipal(membership.member());
            var right = membership.fit() && wanted.memberships().contains(membership.wanted());
            if (ours && !right && !isIdle(membership)) {
                add(subject(membership), List.of(membership.revoke()));
            }
        }
    }

    private boolean isPrincipal(String role) {
        return wanted.roles().containsKey(role) && !foreign.contains(role);
    }

    /** In a role that owns nothing which the catalog knows: of a table that it is yet to follow. */
    private boolean isIdle(Membership membership) {
        var member = wanted.roles().get(membership.member());
        return membership.fit()
                && isIdleOwner(membership.group())
                && member != null
                && member.login();
    }

    private boolean isIdleOwner(String name) {
        var role = found.roles().get(name);
        return role != null
                && role.mark().startsWith(Wanted.Role.OWNER_MARK)
                && !wanted.roles().containsKey(name);
    }

    private void grantMemberships() {
        var there = new HashSet<Membership>();
        for (var membership : found.memberships()) {
            if (membership.fit()) {
                there.add(membership.wanted());
            }
        }
        for (var membership : wanted.memberships()) {
            var possible = isPrincipal(membership.group()) && isPrincipal(membership.member());
            if (possible && !there.contains(membership)) {
                add(subject(membership), List.of(membership.grant()));
            }
        }
    }

    private static String subject(Membership membership) {
        return "member %s of %s".formatted(membership.member(), membership.group());
    }

    /** Whoever may log in may connect: USE CATALOG is asked for at each table of it. */
    private void database() {
        var policed = new TreeMap<>(found.database().privileges());
        policed.keySet()
                .removeIf(
                        role ->
                                role.equals(Acl.PUBLIC)
                                        ? !found.us().equals(Roles.OWNER)
                                        : !isPrincipal(role));
        var users = new ArrayList<String>();
        wanted.roles()
                .forEach(
                        (name, role) -> {
                            if (Governed.isUsers(name) || role.isReadOnly()) {
                                users.add(name);
                            }
                        });
        var wants = Acl.empty().add(users, "CONNECT");
        if (wanted.guarded()) {
            // Postgres asks it for CREATE SCHEMA IF NOT EXISTS too; the guard lets nothing else be.
            wants.add(users, "CREATE");
        }
        var acl = without(wants);
        add("database", acl.from(new Acl(policed), "DATABASE " + quoted(found.databaseName())));
    }

    /** One that is missing is made; one of others is left alone. */
    private void schema(String name, Acl acl) {
        var there = found.schemas().get(name);
        var commands = new ArrayList<String>();
        if (there == null) {
            commands.add(
                    "CREATE SCHEMA IF NOT EXISTS %s AUTHORIZATION %s"
                            .formatted(quoted(name), Roles.OBJECTS));
        } else if (!isGoverned(there.owner())) {
            return;
        } else if (!there.owner().equals(Roles.OBJECTS)) {
            commands.add("ALTER SCHEMA %s OWNER TO %s".formatted(quoted(name), Roles.OBJECTS));
        }
        var had = new TreeMap<>((there == null ? Acl.empty() : there.acl()).privileges());
        had.keySet().removeIf(this::isIdleOwner);
        commands.addAll(without(acl).from(new Acl(had), "SCHEMA " + quoted(name)));
        add("schema " + name, name, commands);
    }

    /** Whether what this role owns is ours to govern. */
    private boolean isGoverned(String owner) {
        var role = found.roles().get(owner);
        return owner.equals(Roles.OBJECTS)
                || owner.equals(found.us())
                || (role != null && isOurs(role));
    }

    private void table(Relation name) {
        var front = found.tables().get(name);
        if (front != null && !isGoverned(front.owner())) {
            return;
        }
        var table = wanted.tables().get(name);
        var commands = new ArrayList<String>();
        if (table == null) {
            commands.addAll(TableSteps.close(name, found));
            commands.addAll(TableSteps.close(name.hidden(), found));
        } else {
            commands.addAll(TableSteps.toward(name, without(table), found));
        }
        if (!commands.isEmpty()) {
            steps.add(
                    new Step(
                            "table " + name,
                            front == null ? null : name,
                            name.toString(),
                            commands));
        }
    }

    /** Whoever may insert may take the next number. */
    private void sequence(Relation name, Found.Sequence sequence) {
        var table = wanted.tables().get(sequence.table().shown());
        if (table == null || found.pending().contains(sequence.table())) {
            return;
        }
        var writers = new ArrayList<String>();
        without(table)
                .acl()
                .privileges()
                .forEach(
                        (role, granted) -> {
                            if (granted.contains("INSERT")) {
                                writers.add(role);
                            }
                        });
        add(
                "sequence " + name,
                Acl.empty().add(writers, "USAGE").from(sequence.acl(), "SEQUENCE " + name.sql()));
    }

    private Wanted.Table without(Wanted.Table table) {
        return new Wanted.Table(table.owner(), without(table.acl()), table.filter(), table.masks());
    }

    private Acl without(Acl acl) {
        if (foreign.isEmpty()) {
            return acl;
        }
        var known = new TreeMap<>(acl.privileges());
        known.keySet().removeAll(foreign);
        return new Acl(known);
    }
}
