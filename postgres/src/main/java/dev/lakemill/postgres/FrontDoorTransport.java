package dev.lakemill.postgres;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;

/** Netty's sockets: native epoll on Linux, the JDK's everywhere else. */
enum FrontDoorTransport {
    EPOLL,
    NIO;

    static FrontDoorTransport best() {
        return Epoll.isAvailable() ? EPOLL : NIO;
    }

    EventLoopGroup loops(int count, Duration spin) {
        return new MultiThreadIoEventLoopGroup(
                count, new DefaultThreadFactory("front-door", true), handlers(spin.toNanos()));
    }

    /** The JDK's selector is too slow to look ahead by. */
    private IoHandlerFactory handlers(long spinNanos) {
        return switch (this) {
            case EPOLL -> EpollIoHandler.newFactory(0, () -> new FrontDoorSpin(spinNanos));
            case NIO -> NioIoHandler.newFactory();
        };
    }

    ServerBootstrap server() {
        return new ServerBootstrap()
                .channel(
                        switch (this) {
                            case EPOLL -> EpollServerSocketChannel.class;
                            case NIO -> NioServerSocketChannel.class;
                        });
    }

    Bootstrap tcp(EventLoop loop) {
        return new Bootstrap()
                .group(loop)
                .channel(
                        switch (this) {
                            case EPOLL -> EpollSocketChannel.class;
                            case NIO -> NioSocketChannel.class;
                        });
    }

    Bootstrap unix(EventLoop loop) {
        return new Bootstrap()
                .group(loop)
                .channel(
                        switch (this) {
                            case EPOLL -> EpollDomainSocketChannel.class;
                            case NIO -> NioDomainSocketChannel.class;
                        });
    }

    SocketAddress unixAddress(Path socket) {
        return switch (this) {
            case EPOLL -> new DomainSocketAddress(socket.toFile());
            case NIO -> UnixDomainSocketAddress.of(socket);
        };
    }
}
