package dev.lakemill.plan;

/**
 * A version of a model that a plan scores with.
 *
 * @param model full name
 */
public record ModelUse(String model, int version) {
    /** Of a call of {@link Function#PREDICT}. */
    public static ModelUse of(Expression.Call call) {
        return new ModelUse(text(call, 0), Integer.parseInt(text(call, 1)));
    }

    private static String text(Expression.Call call, int index) {
        if (call.arguments().get(index) instanceof Expression.Literal literal
                && literal.text() != null) {
            return literal.text();
        }
        throw new IllegalArgumentException("a model and its version are constants");
    }

    @Override
    public String toString() {
        return model + "/" + version;
    }
}
