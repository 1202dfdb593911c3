package dev.lakemill.postgres;

import static dev.lakemill.postgres.Relation.quoted;

/**
 * That one role is directly in another.
 *
 * @param grantor who granted it in Postgres; empty for what the catalog wants
 * @param fit whether it is inherited, without SET ROLE and without ADMIN, as all of ours
 */
record Membership(String group, String member, String grantor, boolean fit) {
    static Membership of(String group, String member) {
        return new Membership(group, member, "", true);
    }

    /** The same, whoever granted it. */
    Membership wanted() {
        return of(group, member);
    }

    String grant() {
        return "GRANT %s TO %s WITH INHERIT TRUE, SET FALSE"
                .formatted(quoted(group), quoted(member));
    }

    String revoke() {
        return "REVOKE %s FROM %s GRANTED BY %s CASCADE"
                .formatted(quoted(group), quoted(member), quoted(grantor));
    }
}
