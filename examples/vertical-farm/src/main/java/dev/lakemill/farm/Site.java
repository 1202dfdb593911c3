package dev.lakemill.farm;

/**
 * A farm.
 *
 * @param share of all demand and stock, 0 to 1
 */
record Site(String id, String name, long capacityGrams, double share) {}
