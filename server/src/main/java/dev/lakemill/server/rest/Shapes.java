package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.SecurableInfo;
import java.util.Map;

/** The answers of Unity Catalog that need no more than what every securable has. */
final class Shapes {
    static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** Properties of securables that stand in fields of their own. */
    static final String VOLUME_TYPE = "volume_type";

    static final String ROLE = "aws_iam_role";
    static final String CREDENTIAL = "credential_name";

    private Shapes() {}

    static ObjectNode catalog(SecurableInfo info) {
        var node = base(info).put("id", info.id().toString());
        properties(node, info.properties());
        return node;
    }

    static ObjectNode schema(SecurableInfo info) {
        var node =
                base(info)
                        .put("catalog_name", part(info, 0))
                        .put("full_name", info.securable().name())
                        .put("schema_id", info.id().toString());
        properties(node, info.properties());
        return node;
    }

    static ObjectNode volume(SecurableInfo info) {
        return base(info)
                .put("catalog_name", part(info, 0))
                .put("schema_name", part(info, 1))
                .put("full_name", info.securable().name())
                .put("volume_id", info.id().toString())
                .put("volume_type", info.properties().getOrDefault(VOLUME_TYPE, "EXTERNAL"))
                .put("storage_location", info.location());
    }

    static ObjectNode credential(SecurableInfo info) {
        var node =
                base(info)
                        .put("id", info.id().toString())
                        .put("full_name", info.securable().name())
                        .put("purpose", "STORAGE");
        var role = info.properties().get(ROLE);
        if (role != null) {
            node.putObject("aws_iam_role").put("role_arn", role);
        }
        return node;
    }

    static ObjectNode externalLocation(SecurableInfo info) {
        return base(info)
                .put("id", info.id().toString())
                .put("url", info.location())
                .put("credential_name", info.properties().getOrDefault(CREDENTIAL, ""));
    }

    /** Name, comment, owner, and who made and changed it when. */
    static ObjectNode base(SecurableInfo info) {
        var name = info.securable().name();
        var node = JSON.objectNode().put("name", name.substring(name.lastIndexOf('.') + 1));
        if (!info.comment().isEmpty()) {
            node.put("comment", info.comment());
        }
        return node.put("owner", info.owner().name())
                .put("created_at", info.createdAt().toEpochMilli())
                .put("created_by", info.createdBy())
                .put("updated_at", info.updatedAt().toEpochMilli())
                .put("updated_by", info.updatedBy());
    }

    /** Always there, also when empty: Spark dereferences it. */
    static void properties(ObjectNode node, Map<String, String> properties) {
        var pairs = node.putObject("properties");
        properties.forEach(pairs::put);
    }

    static String part(SecurableInfo info, int index) {
        return info.securable().name().split("\\.", -1)[index];
    }
}
