package dev.lakemill.plan;

import dev.lakemill.types.DataType;
import java.util.List;
import java.util.Locale;

/**
 * A static method of a jar that a pipeline's text calls.
 *
 * @param name in SQL; upper and lower case are one
 * @param jar the path of a file that does not change: another content has another name
 * @param resultNullable false where the method returns a primitive type; even then the result is
 *     NULL where an argument is NULL whose parameter cannot be
 */
public record JavaFunction(
        String name,
        String jar,
        String className,
        String method,
        List<Parameter> parameters,
        DataType result,
        boolean resultNullable) {
    /**
     * @param nullable false for a primitive type: the method is not called with NULL
     */
    public record Parameter(String name, DataType type, boolean nullable) {}

    public JavaFunction {
        name = name.toLowerCase(Locale.ROOT);
        parameters = List.copyOf(parameters);
    }
}
