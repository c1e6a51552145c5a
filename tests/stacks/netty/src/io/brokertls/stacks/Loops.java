package io.brokertls.stacks;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;

/** The threads of netty. */
final class Loops {
    private Loops() {
    }

    /** Makes them in the way that 4.1 and 4.2 have in common; 4.2 calls it deprecated. */
    @SuppressWarnings("deprecation")
    static EventLoopGroup make() {
        return new NioEventLoopGroup(2);
    }
}
