package dev.lakemill.pipeline;

import java.util.List;

/** The files that may be new. */
interface Listing {
    /** In the order in which they are to be taken. */
    List<FileListing.Found> list();

    /** All files of the last list are taken. */
    default void taken() {}
}
