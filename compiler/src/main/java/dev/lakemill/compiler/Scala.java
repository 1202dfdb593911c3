package dev.lakemill.compiler;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import scala.Function1;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.OptionConverters;
import scala.runtime.AbstractPartialFunction;

/** Scala's collections and functions in Java's terms. */
final class Scala {
    private Scala() {}

    static <T> Seq<T> seq(List<? extends T> list) {
        return CollectionConverters.<T>asScala(List.<T>copyOf(list)).toSeq();
    }

    static <T> List<T> list(scala.collection.Iterable<? extends T> iterable) {
        return List.<T>copyOf(CollectionConverters.asJavaCollection(iterable));
    }

    static <T> Optional<T> optional(Option<T> option) {
        return OptionConverters.toJava(option);
    }

    static <T> Option<T> some(T value) {
        return Option.apply(value);
    }

    static <T> Option<T> none() {
        return Option.empty();
    }

    /** A partial function that changes what the test accepts. */
    static <T> AbstractPartialFunction<T, T> change(Predicate<T> test, Function<T, T> change) {
        return new AbstractPartialFunction<>() {
            @Override
            public boolean isDefinedAt(T value) {
                return test.test(value);
            }

            @Override
            @SuppressWarnings("unchecked") // Scala's bounds say that B is a supertype of T
            public <A extends T, B> B applyOrElse(A value, Function1<A, B> otherwise) {
                return test.test(value) ? (B) change.apply(value) : otherwise.apply(value);
            }
        };
    }
}
