package dev.lakemill.types;

/** What a principal is: a person, a program, or a group of principals, groups among them. */
public enum PrincipalKind {
    USER,
    SERVICE_PRINCIPAL,
    GROUP
}
