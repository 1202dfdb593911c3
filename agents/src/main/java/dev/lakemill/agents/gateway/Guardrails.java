package dev.lakemill.agents.gateway;

import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What may be asked and answered, in the words of Databricks' {@code guardrails}. By rules:
 * keywords, and personal data, which is what has a form: e-mail addresses, telephone numbers, card
 * numbers (Luhn), bank accounts (IBAN) and social security numbers. By a model that judges: see
 * {@link Guard}.
 *
 * @param judge name of the endpoint that judges; empty where nothing is to be judged
 */
record Guardrails(Side input, Side output, String judge) {
    /** What is done with personal data. */
    enum Pii {
        NONE,
        BLOCK,
        MASK
    }

    /**
     * Of one direction.
     *
     * @param isSafe whether what is not safe is refused
     * @param validTopics what it may be about; empty for anything
     */
    record Side(List<String> invalidKeywords, Pii pii, boolean isSafe, List<String> validTopics) {
        static final Side OPEN = new Side(List.of(), Pii.NONE, false, List.of());

        Side {
            invalidKeywords = List.copyOf(invalidKeywords);
            validTopics = List.copyOf(validTopics);
        }

        boolean isOpen() {
            return invalidKeywords.isEmpty() && pii == Pii.NONE && !isJudged();
        }

        boolean isJudged() {
            return isSafe || !validTopics.isEmpty();
        }
    }

    static final Guardrails NONE = new Guardrails(Side.OPEN, Side.OPEN, "");

    boolean areJudged() {
        return input.isJudged() || output.isJudged();
    }

    private record Form(String name, Pattern pattern, Predicate<String> holds) {}

    private static final List<Form> FORMS =
            List.of(
                    new Form(
                            "EMAIL",
                            Pattern.compile(
                                    "[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}"
                                            + "(?:\\.[A-Za-z0-9-]{1,63}){1,8}"),
                            _ -> true),
                    new Form(
                            "IBAN",
                            Pattern.compile(
                                    "\\b[A-Z]{2}\\d{2}(?: ?[A-Z0-9]{4}){2,7} ?[A-Z0-9]{1,4}\\b"),
                            Guardrails::isIban),
                    new Form(
                            "CREDIT_CARD",
                            Pattern.compile("\\b\\d(?:[ -]?\\d){12,18}\\b"),
                            Guardrails::isCard),
                    new Form("US_SSN", Pattern.compile("\\b\\d{3}-\\d{2}-\\d{4}\\b"), _ -> true),
                    new Form(
                            "PHONE_NUMBER",
                            Pattern.compile(
                                    "(?<![\\w+])\\+?\\(?\\d{2,4}\\)?(?:[ ./-]\\(?\\d{2,5}\\)?){2,5}(?!\\w)"),
                            Guardrails::isPhone));

    /**
     * The text as it may go on.
     *
     * @throws ModelProblem BLOCKED when it may not
     */
    static String admit(Side side, String direction, String text) {
        for (var keyword : side.invalidKeywords()) {
            if (contains(text, keyword)) {
                throw blocked("the %s has a keyword that is not allowed".formatted(direction));
            }
        }
        return switch (side.pii()) {
            case NONE -> text;
            case MASK -> mask(text);
            case BLOCK -> {
                var found = found(text);
                if (found.isPresent()) {
                    throw blocked(
                            "the %s has personal data (%s)".formatted(direction, found.get()));
                }
                yield text;
            }
        };
    }

    /** With every piece of personal data replaced by its kind. */
    static String mask(String text) {
        var masked = text;
        for (var form : FORMS) {
            masked =
                    form.pattern()
                            .matcher(masked)
                            .replaceAll(
                                    match ->
                                            form.holds().test(match.group())
                                                    ? "<" + form.name() + ">"
                                                    : Matcher.quoteReplacement(match.group()));
        }
        return masked;
    }

    private static Optional<String> found(String text) {
        return FORMS.stream()
                .filter(
                        form ->
                                form.pattern()
                                        .matcher(text)
                                        .results()
                                        .anyMatch(match -> form.holds().test(match.group())))
                .map(Form::name)
                .findFirst();
    }

    /** As a word or words of its own, without regard to case. */
    private static boolean contains(String text, String keyword) {
        var pattern = "(?<![\\p{L}\\p{N}])" + Pattern.quote(keyword) + "(?![\\p{L}\\p{N}])";
        return Pattern.compile(pattern, Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE)
                .matcher(text)
                .find();
    }

    private static boolean isCard(String text) {
        var digits = text.replaceAll("\\D", "");
        var sum = 0;
        for (int i = 0; i < digits.length(); i++) {
            int digit = digits.charAt(digits.length() - 1 - i) - '0';
            int counted = i % 2 == 0 ? digit : digit * 2;
            sum += counted > 9 ? counted - 9 : counted;
        }
        return sum % 10 == 0;
    }

    private static boolean isIban(String text) {
        var compact = text.replace(" ", "").toUpperCase(Locale.ROOT);
        if (compact.length() < 15 || compact.length() > 34) {
            return false;
        }
        var digits = new StringBuilder();
        (compact.substring(4) + compact.substring(0, 4))
                .chars()
                .forEach(c -> digits.append(Character.digit(c, 36)));
        return new BigInteger(digits.toString()).mod(BigInteger.valueOf(97)).intValue() == 1;
    }

    /** Not a date, an amount or an article number: nine digits at least. */
    private static boolean isPhone(String text) {
        return text.chars().filter(Character::isDigit).count() >= 9;
    }

    static ModelProblem blocked(String problem) {
        return new ModelProblem(
                ModelProblem.Kind.BLOCKED,
                problem,
                "leave it out; the endpoint's guardrails refuse it");
    }
}
