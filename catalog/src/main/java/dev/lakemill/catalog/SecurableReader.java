package dev.lakemill.catalog;

import dev.lakemill.plan.TextRefused;
import dev.lakemill.plan.Token;
import dev.lakemill.plan.TokenReader;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.List;

/** Reads the names of securables and principals in a statement. */
final class SecurableReader {
    /** The words for a kind of securable. */
    private record Word(SecurableType type, String... words) {}

    private static final List<Word> WORDS =
            List.of(
                    new Word(SecurableType.METASTORE, "METASTORE"),
                    new Word(SecurableType.CATALOG, "CATALOG"),
                    new Word(SecurableType.SCHEMA, "SCHEMA"),
                    new Word(SecurableType.SCHEMA, "DATABASE"),
                    new Word(SecurableType.TABLE, "TABLE"),
                    new Word(SecurableType.TABLE, "VIEW"),
                    new Word(SecurableType.TABLE, "MATERIALIZED", "VIEW"),
                    new Word(SecurableType.TABLE, "STREAMING", "TABLE"),
                    new Word(SecurableType.VOLUME, "VOLUME"),
                    new Word(SecurableType.FUNCTION, "FUNCTION"),
                    new Word(SecurableType.REGISTERED_MODEL, "MODEL"),
                    new Word(SecurableType.REGISTERED_MODEL, "REGISTERED", "MODEL"),
                    new Word(SecurableType.EXTERNAL_LOCATION, "EXTERNAL", "LOCATION"),
                    new Word(SecurableType.CREDENTIAL, "STORAGE", "CREDENTIAL"),
                    new Word(SecurableType.CREDENTIAL, "CREDENTIAL"),
                    new Word(SecurableType.APP, "APP"),
                    new Word(SecurableType.AGENT, "AGENT"));

    private final TokenReader in;
    private final NameDefaults defaults;

    SecurableReader(TokenReader in, NameDefaults defaults) {
        this.in = in;
        this.defaults = defaults;
    }

    /** {@code [kind] name}; without a kind it is a table. */
    Securable securable() {
        for (var word : WORDS) {
            if (in.accept(word.words())) {
                return named(word.type());
            }
        }
        return named(SecurableType.TABLE);
    }

    /** Takes the words for a kind of securable if they come next. */
    boolean accepted(SecurableType type) {
        return WORDS.stream()
                .filter(word -> word.type() == type)
                .anyMatch(word -> in.accept(word.words()));
    }

    /** The name of a securable whose kind was read. */
    Securable named(SecurableType type) {
        if (type == SecurableType.METASTORE) {
            return Securable.METASTORE;
        }
        var first = in.peek();
        var parts = completed(type, parts("the name of a " + word(type)));
        try {
            var name = String.join(".", parts);
            return type == SecurableType.TABLE
                    ? Securable.table(TableName.parse(name))
                    : new Securable(type, name);
        } catch (LakemillException e) {
            throw new TextRefused(in.position(first), e.problem(), e.hint());
        }
    }

    /** The catalog or schema that was said once for all statements. */
    Securable current(SecurableType type) {
        var isKnown =
                !defaults.catalog().isEmpty()
                        && (type == SecurableType.CATALOG || !defaults.schema().isEmpty());
        if (!isKnown) {
            throw in.unexpected("IN and the name of a " + word(type), "");
        }
        return type == SecurableType.CATALOG
                ? Securable.catalog(defaults.catalog())
                : Securable.schema(defaults.catalog(), defaults.schema());
    }

    TableName table(List<String> parts) {
        return TableName.parse(String.join(".", completed(SecurableType.TABLE, parts)));
    }

    /** {@code name[.name…]}. */
    List<String> parts(String what) {
        var parts = new ArrayList<String>();
        parts.add(in.name(what));
        while (in.accept('.')) {
            parts.add(in.name("a part of the name"));
        }
        return parts;
    }

    /** A user's, group's or service principal's name. */
    String principal() {
        var token = in.peek();
        var isName =
                token.kind() == Token.Kind.WORD
                        || token.kind() == Token.Kind.NAME
                        || token.kind() == Token.Kind.STRING;
        if (!isName) {
            throw in.unexpected("a principal", "a user, group or service principal");
        }
        in.next();
        if (in.peek().kind() == Token.Kind.SIGN
                && !in.peek().isSign(';')
                && !in.peek().isSign(',')) {
            throw in.unexpected(
                    "the end of the statement", "write a name with such signs in `back-ticks`");
        }
        return token.text();
    }

    private List<String> completed(SecurableType type, List<String> parts) {
        var whole = new ArrayList<String>(parts);
        var wanted =
                switch (type) {
                    case METASTORE -> 0;
                    case CATALOG, EXTERNAL_LOCATION, CREDENTIAL, APP, AGENT -> 1;
                    case SCHEMA -> 2;
                    case TABLE, VOLUME, FUNCTION, REGISTERED_MODEL -> 3;
                };
        if (wanted == 3 && whole.size() == 1 && !defaults.schema().isEmpty()) {
            whole.addFirst(defaults.schema());
        }
        if (wanted > 1 && whole.size() == wanted - 1 && !defaults.catalog().isEmpty()) {
            whole.addFirst(defaults.catalog());
        }
        if (whole.size() != wanted) {
            throw new TextRefused(
                    in.position(),
                    "'%s' is not the full name of a %s"
                            .formatted(String.join(".", parts), word(type)),
                    List.of(
                                    "",
                                    "write its name alone",
                                    "write catalog.schema",
                                    "write catalog.schema.name")
                            .get(wanted));
        }
        return whole;
    }

    private static String word(SecurableType type) {
        return type.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    }
}
