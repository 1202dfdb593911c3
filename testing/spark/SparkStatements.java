import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.util.ArrayList;
import org.apache.spark.sql.SparkSession;

/**
 * Runs SQL statements in Spark with Delta, one after the other, and prints what they return. A
 * program in one file, which a test has java compile and run on Spark's class path:
 *
 * <pre>java -cp ... SparkStatements.java statements.json results.json</pre>
 *
 * <p>statements.json is an array of {"name", "sql"}; results.json becomes an object that has, for
 * each name, an array of rows, each an object with all columns.
 */
final class SparkStatements {
    private SparkStatements() {}

    public static void main(String[] files) throws Exception {
        var json = new ObjectMapper();
        var results = json.createObjectNode();
        var spark =
                SparkSession.builder()
                        .master("local[2]")
                        .config("spark.ui.enabled", false)
                        .config("spark.sql.session.timeZone", "UTC")
                        .config("spark.sql.shuffle.partitions", 2)
                        .config("spark.sql.jsonGenerator.ignoreNullFields", false)
                        .config("spark.databricks.delta.snapshotPartitions", 2)
                        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
                        .config(
                                "spark.sql.catalog.spark_catalog",
                                "org.apache.spark.sql.delta.catalog.DeltaCatalog")
                        .config("spark.driver.bindAddress", "127.0.0.1")
                        .config("spark.driver.host", "127.0.0.1")
                        .getOrCreate();
        for (var statement : json.readTree(new File(files[0]))) {
            var rows = new ArrayList<Object>();
            for (var row : spark.sql(statement.get("sql").asText()).toJSON().collectAsList()) {
                rows.add(json.readTree(row));
            }
            results.set(statement.get("name").asText(), json.valueToTree(rows));
        }
        json.writeValue(new File(files[1]), results);
        spark.stop();
    }
}
