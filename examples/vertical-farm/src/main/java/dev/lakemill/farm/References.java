package dev.lakemill.farm;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Reference data as changes: each thing once, in the catalog's order, then over again. */
final class References {
    private References() {}

    static RowModel skus() {
        return inTurn(FarmCatalog.SKUS, References::row);
    }

    static RowModel sites() {
        return inTurn(FarmCatalog.SITES, References::row);
    }

    /** From the second turn on a supplier's reliability has drifted. */
    static RowModel suppliers(RandomGenerator random) {
        var drifting = new ArrayList<Drifting>();
        for (var supplier : FarmCatalog.SUPPLIERS) {
            drifting.add(new Drifting(supplier, new MeanReverting(random, 1, 0.02)));
        }
        return inTurn(drifting, References::row);
    }

    private record Drifting(Supplier supplier, MeanReverting drift) {}

    private interface Change<T> {
        FarmRow of(T thing, long atMicros);
    }

    private static <T> RowModel inTurn(List<T> things, Change<T> change) {
        return new RowModel() {
            private int at;

            @Override
            public FarmRow next(long atMicros) {
                return change.of(things.get(at++ % things.size()), atMicros);
            }
        };
    }

    private static FarmRow row(Sku sku, long atMicros) {
        return FarmRow.of(
                FarmTable.SKU_CHANGES,
                sku.id(),
                sku.name(),
                sku.family().sqlName(),
                sku.gramsPerTray(),
                sku.growDays(),
                sku.shelfLifeDays(),
                atMicros);
    }

    private static FarmRow row(Drifting drifting, long atMicros) {
        var supplier = drifting.supplier;
        var reliability = supplier.reliability() * drifting.drift.factor(atMicros);
        return FarmRow.of(
                FarmTable.SUPPLIER_CHANGES,
                supplier.id(),
                supplier.name(),
                supplier.country(),
                supplier.email(),
                Math.round(Math.min(reliability, 0.999) * 1000) / 1000.0,
                supplier.paymentTermsDays(),
                atMicros);
    }

    private static FarmRow row(Site site, long atMicros) {
        return FarmRow.of(
                FarmTable.SITE_CHANGES, site.id(), site.name(), site.capacityGrams(), atMicros);
    }
}
