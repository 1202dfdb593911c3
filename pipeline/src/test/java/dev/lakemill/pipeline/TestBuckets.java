package dev.lakemill.pipeline;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.gaul.s3proxy.AuthenticationType;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobProviderMetadata;
import org.jclouds.ContextBuilder;
import org.jclouds.blobstore.BlobStore;
import org.jclouds.blobstore.BlobStoreContext;
import org.jclouds.blobstore.domain.Blob;
import org.jclouds.blobstore.domain.PageSet;
import org.jclouds.blobstore.domain.StorageMetadata;
import org.jclouds.blobstore.options.GetOptions;
import org.jclouds.blobstore.options.ListContainerOptions;
import org.jclouds.blobstore.util.ForwardingBlobStore;

/** An S3 server in this process, with one bucket, on a port that it keeps while it is away. */
public final class TestBuckets implements AutoCloseable {
    static final String BUCKET = "lake";
    private static final String ACCOUNT = "account";
    private static final String SECRET = "secret";

    private final BlobStoreContext context;
    private final BlobStore store;
    private final int port;
    private S3Proxy server;

    /** While it is set, each request is answered with 403. */
    final AtomicBoolean isForbidden = new AtomicBoolean();

    /** How many pages were listed. */
    final AtomicInteger pages = new AtomicInteger();

    /** The keys of objects that were read, in that order. */
    final List<String> read = new CopyOnWriteArrayList<>();

    public TestBuckets() throws Exception {
        context =
                ContextBuilder.newBuilder(new TransientNio2BlobProviderMetadata())
                        .credentials(ACCOUNT, SECRET)
                        .build(BlobStoreContext.class);
        store = new Counting(context.getBlobStore());
        System.setProperty("aws.accessKeyId", ACCOUNT);
        System.setProperty("aws.secretAccessKey", SECRET);
        server = server(0);
        port = server.getPort();
        make();
    }

    /** What another process of this account is started with. */
    static List<String> flags() {
        return List.of("-Daws.accessKeyId=" + ACCOUNT, "-Daws.secretAccessKey=" + SECRET);
    }

    private S3Proxy server(int at) throws Exception {
        var proxy =
                S3Proxy.builder()
                        .blobStore(store)
                        .awsAuthentication(AuthenticationType.AWS_V2_OR_V4, ACCOUNT, SECRET)
                        .endpoint(URI.create("http://127.0.0.1:" + at))
                        .build();
        proxy.setBlobStoreLocator((_, _, _) -> isForbidden.get() ? null : Map.entry(SECRET, store));
        proxy.start();
        return proxy;
    }

    public String endpoint() {
        return "http://127.0.0.1:" + port;
    }

    /** Listed ten times a second. */
    BucketConfig config(long objectBytesMax, Duration silenceMax) {
        return new BucketConfig(
                new BucketConfig.Store(endpoint(), "", true),
                objectBytesMax,
                Duration.ofMillis(100),
                silenceMax);
    }

    BucketConfig config(long objectBytesMax) {
        return config(objectBytesMax, Duration.ofSeconds(30));
    }

    BucketConfig config() {
        return config(1 << 20);
    }

    void make() {
        store.createContainerInLocation(null, BUCKET);
    }

    void unmake() {
        store.clearContainer(BUCKET);
        store.deleteContainer(BUCKET);
    }

    public void leave() throws Exception {
        server.stop();
    }

    public void comeBack() throws Exception {
        server = server(port);
    }

    /** In the place of the server, which is away: takes connections, and answers nothing. */
    ServerSocket silent() throws IOException {
        return new ServerSocket(port);
    }

    public void put(String key, String text) {
        put(key, text.getBytes(StandardCharsets.UTF_8));
    }

    void put(String key, byte[] bytes) {
        store.putBlob(
                BUCKET, store.blobBuilder(key).payload(bytes).contentLength(bytes.length).build());
    }

    void remove(String key) {
        store.removeBlob(BUCKET, key);
    }

    static byte[] gzip(String text) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(bytes)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        context.close();
    }

    private final class Counting extends ForwardingBlobStore {
        Counting(BlobStore store) {
            super(store);
        }

        @Override
        public PageSet<? extends StorageMetadata> list(
                String container, ListContainerOptions options) {
            pages.incrementAndGet();
            return super.list(container, options);
        }

        @Override
        public Blob getBlob(String container, String name, GetOptions options) {
            read.add(name);
            return super.getBlob(container, name, options);
        }
    }
}
