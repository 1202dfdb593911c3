package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.MaintenanceSql.WEIGHT;
import static dev.lakemill.pipeline.MaintenanceSql.call;
import static dev.lakemill.pipeline.MaintenanceSql.number;
import static dev.lakemill.pipeline.MaintenanceSql.weighted;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.Named;
import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An inner or a cross join. With the rows after the batch alone, the telescoped sum dL x R_new +
 * L_old x dR is dL x R_new + L_new x dR - dL x dR.
 */
final class InnerJoin implements Maintained {
    private final Relation.Join join;
    private final Maintained left;
    private final Maintained right;
    private final KeptChanges leftChanges;
    private final KeptChanges rightChanges;
    private final Attribute rightWeight;

    InnerJoin(Relation.Join join, Maintained left, Maintained right, MaintenanceSql sql) {
        this.join = join;
        this.left = left;
        this.right = right;
        this.leftChanges = new KeptChanges(left, sql);
        this.rightChanges = new KeptChanges(right, sql);
        this.rightWeight = sql.fresh(Primitive.LONG);
    }

    @Override
    public Relation now() {
        return joined(left.now(), right.now());
    }

    @Override
    public Optional<Relation> changes(MaintenanceSql sql) {
        var fromLeft = leftChanges.changes(sql);
        var fromRight = rightChanges.changes(sql);
        var terms = new ArrayList<Relation>();
        fromLeft.ifPresent(rows -> terms.add(joined(rows, right.now())));
        fromRight.ifPresent(rows -> terms.add(joined(left.now(), rows)));
        terms.replaceAll(term -> weighted(term, join.output()));
        if (fromLeft.isPresent() && fromRight.isPresent()) {
            terms.add(both(fromLeft.get(), fromRight.get()));
        }
        return terms.isEmpty() ? Optional.empty() : Optional.of(MaintenanceSql.union(terms));
    }

    private Relation both(Relation fromLeft, Relation fromRight) {
        var renamed = new ArrayList<>(MaintenanceSql.same(right.now().output()));
        renamed.add(new Named(rightWeight, new Expression.Reference(WEIGHT)));
        var columns = new ArrayList<>(MaintenanceSql.same(join.output()));
        var same =
                call(
                        Function.EQUAL,
                        new Expression.Reference(WEIGHT),
                        new Expression.Reference(rightWeight));
        columns.add(
                new Named(
                        WEIGHT,
                        new Expression.Case(
                                List.of(new Expression.Branch(same, number(-1))),
                                number(1),
                                Primitive.LONG,
                                false)));
        return new Relation.Project(
                joined(fromLeft, new Relation.Project(fromRight, renamed)), columns);
    }

    private Relation joined(Relation fromLeft, Relation fromRight) {
        return new Relation.Join(fromLeft, fromRight, join.kind(), join.condition());
    }

    @Override
    public List<Maintained> inputs() {
        return List.of(left, right);
    }

    @Override
    public MaintenanceKind kind() {
        return MaintenanceKind.JOIN;
    }
}
