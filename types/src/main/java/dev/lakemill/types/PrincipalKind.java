package dev.lakemill.types;

/** What a principal is: a person, a program, or a group of principals, groups among them. */
public enum PrincipalKind {
    USER,
    SERVICE_PRINCIPAL,
    GROUP;

    /** As SQL writes it: with spaces. */
    public String sql() {
        return name().replace('_', ' ');
    }
}
