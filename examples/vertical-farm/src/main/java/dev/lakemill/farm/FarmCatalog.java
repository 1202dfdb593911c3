package dev.lakemill.farm;

import static dev.lakemill.farm.Sku.Family.HERBS;
import static dev.lakemill.farm.Sku.Family.MICROGREENS;
import static dev.lakemill.farm.Sku.Family.SALADS;
import static dev.lakemill.farm.Sku.Family.SHOOTS;

import java.util.List;
import java.util.Set;

/**
 * What the farm grows, where, and from whose seed. Weights, days and prices are of the order that a
 * grower knows; names of sites and suppliers are made up.
 */
final class FarmCatalog {
    /** Grams per tray, grow days, shelf life days, EUR/kg, trays/hour, days of cover. */
    static final List<Sku> SKUS =
            List.of(
                    new Sku("pea-shoots", "Pea shoots", SHOOTS, 220, 10, 7, 4.80, 52, 6.5),
                    new Sku("sunflower", "Sunflower", SHOOTS, 110, 9, 6, 6.90, 44, 3.1),
                    new Sku("popcorn-shoots", "Popcorn shoots", SHOOTS, 180, 8, 5, 5.40, 9, 9.0),
                    new Sku("fava-shoots", "Fava bean shoots", SHOOTS, 250, 11, 7, 5.10, 7, 12.5),
                    new Sku("buckwheat", "Buckwheat", SHOOTS, 90, 9, 5, 7.80, 11, 8.2),
                    new Sku("wheatgrass", "Wheatgrass", SHOOTS, 300, 8, 7, 2.90, 14, 4.3),
                    new Sku("chickpea-shoots", "Chickpea shoots", SHOOTS, 200, 10, 6, 4.20, 6, 15),
                    new Sku("radish", "Radish", MICROGREENS, 32, 7, 6, 11.50, 48, 5.6),
                    new Sku("red-cabbage", "Red cabbage", MICROGREENS, 18, 9, 7, 29, 26, 10.4),
                    new Sku("broccoli", "Broccoli", MICROGREENS, 17, 9, 7, 27.50, 39, 2.2),
                    new Sku("mizuna", "Mizuna", MICROGREENS, 11, 9, 6, 24, 21, 7.7),
                    new Sku("mustard", "Mustard", MICROGREENS, 12, 8, 6, 13.20, 15, 11.8),
                    new Sku("kohlrabi", "Purple kohlrabi", MICROGREENS, 18, 8, 6, 31, 13, 13.4),
                    new Sku("kale", "Red Russian kale", MICROGREENS, 17, 9, 7, 26, 22, 9.6),
                    new Sku("pak-choi", "Pak choi", MICROGREENS, 14, 9, 6, 22.50, 17, 8.8),
                    new Sku("cress", "Garden cress", MICROGREENS, 40, 7, 5, 8.40, 30, 5.1),
                    new Sku("red-amaranth", "Red amaranth", MICROGREENS, 8, 11, 5, 46, 12, 3.6),
                    new Sku("beet", "Bull's blood beet", MICROGREENS, 42, 13, 6, 18.50, 14, 14.2),
                    new Sku("sorrel", "Red-veined sorrel", MICROGREENS, 6, 16, 6, 88, 8, 6.9),
                    new Sku("rocket", "Rocket", MICROGREENS, 10, 9, 6, 19, 34, 5.2),
                    new Sku("coriander", "Coriander", HERBS, 45, 18, 7, 9.80, 37, 1.8),
                    new Sku("thai-basil", "Thai basil", HERBS, 7, 20, 6, 72, 18, 7.3),
                    new Sku("genovese-basil", "Genovese basil", HERBS, 7, 20, 6, 54, 55, 3.7),
                    new Sku("dill", "Dill", HERBS, 14, 18, 6, 16.50, 16, 10.9),
                    new Sku("parsley", "Flat-leaved parsley", HERBS, 13, 24, 8, 21, 24, 12.1),
                    new Sku("chervil", "Chervil", HERBS, 12, 20, 6, 34, 7, 14.8),
                    new Sku("lemon-balm", "Lemon balm", HERBS, 3, 26, 7, 160, 5, 15.8),
                    new Sku("shiso", "Red shiso", HERBS, 5, 22, 6, 118, 6, 5.4),
                    new Sku("chives", "Chives", HERBS, 9, 28, 9, 58, 12, 8.5),
                    new Sku("butterhead", "Butterhead", SALADS, 1.6, 32, 8, 420, 28, 9.1),
                    new Sku("oakleaf", "Red oakleaf", SALADS, 1.5, 31, 8, 465, 23, 6.1),
                    new Sku("lollo-rosso", "Lollo rosso", SALADS, 1.5, 31, 8, 440, 14, 11.2),
                    new Sku("little-gem", "Little gem", SALADS, 1.6, 30, 8, 390, 20, 5.0),
                    new Sku("spinach", "Baby spinach", SALADS, 26, 24, 7, 12.40, 27, 6.3),
                    new Sku("lambs-lettuce", "Lamb's lettuce", SALADS, 9, 38, 8, 64, 13, 13.0),
                    new Sku("endive", "Frisée endive", SALADS, 4, 34, 8, 140, 8, 10.1),
                    new Sku("tatsoi", "Tatsoi", SALADS, 9, 22, 7, 28, 11, 7.0));

    /** Price level, reliability, lead hours, minimum order in days of use, payment terms. */
    static final List<Supplier> SUPPLIERS =
            List.of(
                    supplier("rijnzaad", "Rijnzaad", "NL", 1.06, 0.97, 24, 0.5, 30)
                            .of(SHOOTS, MICROGREENS, HERBS, SALADS),
                    supplier("havelsaat", "Havelsaat", "DE", 1.02, 0.95, 36, 1, 30)
                            .of(SHOOTS, MICROGREENS, SALADS),
                    supplier("sementi-adige", "Sementi Adige", "IT", 0.97, 0.91, 60, 1, 45)
                            .of(MICROGREENS, HERBS, SALADS),
                    supplier("graines-loire", "Graines de Loire", "FR", 1.01, 0.93, 48, 1, 45)
                            .of(HERBS, SALADS),
                    supplier("nordfroe", "Nordfrø", "DK", 1.12, 0.98, 48, 0.5, 14)
                            .of(SHOOTS, MICROGREENS, HERBS),
                    supplier("semillas-ebro", "Semillas del Ebro", "ES", 0.93, 0.88, 72, 2, 60)
                            .of(SHOOTS, HERBS, SALADS),
                    supplier("nasiona-polesia", "Nasiona Polesia", "PL", 0.88, 0.86, 60, 2, 21)
                            .of(SHOOTS, MICROGREENS),
                    supplier("alpensamen", "Alpensamen", "AT", 1.09, 0.96, 36, 0.5, 30)
                            .of(HERBS, SALADS),
                    supplier("kent-seed", "Kent Seed Company", "GB", 1.00, 0.90, 96, 1.5, 30)
                            .of(MICROGREENS, SALADS),
                    supplier("siam-herb", "Siam Herb Seeds", "TH", 0.84, 0.82, 168, 4, 60)
                            .of(HERBS),
                    supplier("cascade-sprouting", "Cascade Sprouting", "US", 0.90, 0.89, 144, 3, 30)
                            .of(SHOOTS, MICROGREENS),
                    supplier("anadolu-tohum", "Anadolu Tohum", "TR", 0.86, 0.84, 120, 3, 45)
                            .of(SHOOTS, MICROGREENS, HERBS));

    static final List<Site> SITES =
            List.of(
                    new Site("rotterdam", "Rotterdam Harbour", 12_000_000, 0.58),
                    new Site("lyon", "Lyon Confluence", 9_000_000, 0.42));

    private FarmCatalog() {}

    private interface Selling {
        Supplier of(Sku.Family... families);
    }

    private static Selling supplier(
            String id,
            String name,
            String country,
            double level,
            double reliability,
            int leadHours,
            double minOrderDays,
            int paymentTermsDays) {
        return families ->
                new Supplier(
                        id,
                        name,
                        country,
                        Set.of(families),
                        level,
                        reliability,
                        leadHours,
                        minOrderDays,
                        paymentTermsDays);
    }
}
