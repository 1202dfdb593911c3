package dev.lakemill.identity;

/** A token that was made. Its text is a secret. */
public record IssuedToken(String text, TokenInfo info) {
    @Override
    public String toString() {
        return "IssuedToken[" + info + "]";
    }
}
