package dev.lakemill.farm;

/**
 * How a quantity runs through the day: a floor and two bell-shaped peaks, morning and afternoon,
 * whose mean over the day is 1. Hours are UTC.
 */
record DayCurve(Peak morning, Peak afternoon, double floor) {
    /** Demand: kitchens order in the morning, households towards the evening. */
    static final DayCurve DEMAND =
            new DayCurve(new Peak(8.5, 1.8, 0.75), new Peak(17.5, 2.0, 0.9), 0.55);

    /** Sowing shifts, with little between them. */
    static final DayCurve SOWING =
            new DayCurve(new Peak(7.0, 1.2, 3.0), new Peak(15.0, 1.4, 2.4), 0.25);

    /** Power: the morning's and the evening's load. */
    static final DayCurve POWER =
            new DayCurve(new Peak(7.5, 1.6, 0.45), new Peak(19.0, 2.1, 0.6), 0.75);

    /** A peak at an hour of the day, {@code widthHours} on either side to 1/e of its height. */
    record Peak(double hour, double widthHours, double height) {
        double at(double hourOfDay) {
            var away = Math.abs(hourOfDay - hour);
            var distance = Math.min(away, 24 - away) / widthHours;
            return height * Math.exp(-distance * distance);
        }

        double area() {
            return height * widthHours * Math.sqrt(Math.PI);
        }
    }

    double at(long atMicros) {
        var hour =
                (double) Math.floorMod(atMicros, RowModel.MICROS_PER_DAY)
                        / RowModel.MICROS_PER_HOUR;
        var mean = floor + (morning.area() + afternoon.area()) / 24;
        return (floor + morning.at(hour) + afternoon.at(hour)) / mean;
    }
}
