package dev.lakemill.server;

import dev.lakemill.agents.gateway.Gateway;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Decision;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.pipeline.PipelineOutputs;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.FileSource;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.Question;
import dev.lakemill.plan.Relations;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What a pipeline's owner needs for it to run, and owns of it then. A pipeline without an owner is
 * the node's own: whoever writes lakemill.yml answers for it.
 *
 * <p>A source with a row filter or a mask is refused: the pipeline would carry its hidden rows into
 * tables that the policy does not follow.
 */
final class PipelineRights {
    private final Catalog catalog;
    private final String owner;

    /**
     * @param owner a principal's name; empty for the node itself
     */
    PipelineRights(Catalog catalog, String owner) {
        this.catalog = catalog;
        this.owner = owner;
    }

    /**
     * Checks a plan that is about to be deployed.
     *
     * @throws LakemillException PERMISSION_DENIED with the statements that would grant what is
     *     missing; FAILED_PRECONDITION for a source with a policy
     */
    void check(PipelinePlan plan) {
        if (owner.isEmpty()) {
            return;
        }
        var principal = principal();
        var missing = new LinkedHashSet<Decision.Denied>();
        for (var dataset : plan.datasets()) {
            if (dataset instanceof Dataset.IngestedTable source) {
                source(principal, source.name(), missing);
            } else if (dataset instanceof Dataset.FileTable(var name, var _, var _, var files)
                    && files.format() == FileSource.Format.DELTA) {
                source(principal, name, missing);
            }
        }
        for (var use : Relations.models(plan)) {
            var model = new Securable(SecurableType.REGISTERED_MODEL, use.model());
            require(principal, Privilege.EXECUTE, model, missing);
        }
        for (var endpoint : Question.endpoints(plan)) {
            var model = Gateway.modelOf(endpoint);
            // One that is not there answers nobody, until it is configured.
            if (catalog.securables().find(model).isPresent()) {
                require(principal, Privilege.EXECUTE, model, missing);
            }
        }
        for (var output : PipelineOutputs.of(plan)) {
            output(principal, output.name(), output.kind(), missing);
        }
        plan.syncedTables().forEach(s -> output(principal, s.name(), TableKind.SYNCED, missing));
        if (!missing.isEmpty()) {
            throw denied(plan, missing);
        }
    }

    /** Makes the owner of the pipeline the owner of a table that it has made. */
    void own(TableName made) {
        if (!owner.isEmpty()) {
            catalog.grants().transfer(catalog.system(), Securable.table(made), owner);
        }
    }

    private Principal principal() {
        return catalog.principals()
                .find(owner)
                .filter(PrincipalInfo::active)
                .map(PrincipalInfo::principal)
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "there is no active principal '%s', the pipeline's owner"
                                                .formatted(owner),
                                        "make it, or mend 'owner' of the pipeline in "
                                                + Config.FILE));
    }

    private void source(Principal principal, TableName name, Set<Decision.Denied> missing) {
        if (catalog.find(name).isEmpty()) {
            creation(principal, name, Privilege.CREATE_TABLE, missing);
            return;
        }
        require(principal, Privilege.SELECT, Securable.table(name), missing);
        var held = catalog.policies().on(name).told();
        if (!held.isEmpty()) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "%s is under %s, which apply to %s too"
                            .formatted(name, String.join(" and ", held), owner),
                    "drop them, or set them on the tables that the pipeline makes");
        }
    }

    private void output(
            Principal principal, TableName name, TableKind kind, Set<Decision.Denied> missing) {
        if (catalog.find(name).isEmpty()) {
            var privilege =
                    kind == TableKind.MATERIALIZED_VIEW
                            ? Privilege.CREATE_MATERIALIZED_VIEW
                            : Privilege.CREATE_TABLE;
            creation(principal, name, privilege, missing);
        } else if (!catalog.access().mayManage(principal.id(), Securable.table(name))) {
            require(principal, Privilege.MODIFY, Securable.table(name), missing);
        }
    }

    private void creation(
            Principal principal,
            TableName name,
            Privilege privilege,
            Set<Decision.Denied> missing) {
        var schema = Securable.schema(name.catalog(), name.schema());
        var above = Securable.catalog(name.catalog());
        if (catalog.securables().find(schema).isPresent()) {
            require(principal, privilege, schema, missing);
        } else if (catalog.securables().find(above).isPresent()) {
            require(principal, Privilege.CREATE_SCHEMA, above, missing);
        } else {
            require(principal, Privilege.CREATE_CATALOG, Securable.METASTORE, missing);
        }
    }

    private void require(
            Principal principal, Privilege privilege, Securable on, Set<Decision.Denied> missing) {
        if (catalog.access().decide(principal.id(), privilege, on)
                instanceof Decision.Denied denied) {
            missing.add(denied);
        }
    }

    private LakemillException denied(PipelinePlan plan, Set<Decision.Denied> missing) {
        var lacks = new ArrayList<String>();
        var statements = new ArrayList<String>();
        for (var denied : missing) {
            lacks.add(denied.missing().sql() + " on " + written(denied.on()));
            statements.add(
                    "GRANT %s ON %s TO `%s`"
                            .formatted(denied.missing().sql(), written(denied.on()), owner));
        }
        return new LakemillException(
                ErrorCode.PERMISSION_DENIED,
                "pipeline '%s' runs as %s, who lacks %s"
                        .formatted(plan.name(), owner, String.join(", ", lacks)),
                "%s can run: %s; then start the node again"
                        .formatted(grantors(List.copyOf(missing)), String.join("; ", statements)));
    }

    /** As GRANT writes it. */
    private static String written(Securable on) {
        return on.type() == SecurableType.REGISTERED_MODEL
                ? "REGISTERED MODEL " + on.name()
                : on.toString();
    }

    private static String grantors(List<Decision.Denied> missing) {
        var names = new LinkedHashSet<String>();
        missing.forEach(denied -> names.addAll(denied.grantors()));
        return String.join(" or ", names);
    }
}
