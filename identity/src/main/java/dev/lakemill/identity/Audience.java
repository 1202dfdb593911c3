package dev.lakemill.identity;

/** The door that a token is for. */
public enum Audience {
    /** Every door but the browser's cookie. */
    ALL("lakemill"),
    REST("lakemill/rest"),
    GRPC("lakemill/grpc"),
    POSTGRES("lakemill/postgres"),
    /** The cookie of a browser; such a token opens nothing else. */
    BROWSER("lakemill/browser");

    private final String claim;

    Audience(String claim) {
        this.claim = claim;
    }

    /** As the claim {@code aud} says it. */
    public String claim() {
        return claim;
    }

    /** Whether a token for this audience opens the door. */
    boolean opens(Audience door) {
        return this == door || (this == ALL && door != BROWSER);
    }
}
