package io.brokertls.internal;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Moves classes to another package, as tools do that pack a program and its libraries into one jar. */
final class Relocation {
    private static final String PACKAGE = "io/brokertls";

    private static final int MAGIC = 0xcafebabe;
    private static final int UTF8 = 1;
    private static final int LONG = 5;
    private static final int DOUBLE = 6;

    private final String target;

    /** @param target the new package, with dots */
    Relocation(String target) {
        this.target = target.replace('.', '/');
    }

    /** Moves every class of the package in a folder, and returns the folder for them. */
    Path move(Path classes, Path into) throws IOException {
        List<Path> files;
        try (Stream<Path> found = Files.walk(classes.resolve(PACKAGE))) {
            files = found.filter(file -> file.toString().endsWith(".class")).collect(Collectors.toList());
        }
        for (Path file : files) {
            String name = classes.relativize(file).toString().replace(PACKAGE, target);
            Path moved = into.resolve(name);
            Files.createDirectories(moved.getParent());
            Files.write(moved, moved(Files.readAllBytes(file)));
        }
        return into;
    }

    /** Changes the pool of constants, which has the names of all classes, and the texts that look like one. */
    private byte[] moved(byte[] file) throws IOException {
        ByteArrayOutputStream moved = new ByteArrayOutputStream();
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(file));
                DataOutputStream out = new DataOutputStream(moved)) {
            if (in.readInt() != MAGIC) {
                throw new IOException("no class");
            }
            out.writeInt(MAGIC);
            out.writeInt(in.readInt());
            int count = in.readUnsignedShort();
            out.writeShort(count);
            for (int index = 1; index < count; index++) {
                int tag = in.readUnsignedByte();
                out.writeByte(tag);
                if (tag == UTF8) {
                    String text = in.readUTF().replace(PACKAGE, target);
                    out.writeUTF(text.replace(PACKAGE.replace('/', '.'), target.replace('/', '.')));
                } else {
                    out.write(in.readNBytes(size(tag)));
                }
                // A long or double takes two places.
                index += tag == LONG || tag == DOUBLE ? 1 : 0;
            }
            in.transferTo(out);
        }
        return moved.toByteArray();
    }

    private static int size(int tag) throws IOException {
        switch (tag) {
            case 3: case 4: case 9: case 10: case 11: case 12: case 17: case 18:
                return Integer.BYTES;
            case LONG: case DOUBLE:
                return Long.BYTES;
            case 7: case 8: case 16: case 19: case 20:
                return Short.BYTES;
            case 15:
                return Short.BYTES + 1;
            default:
                throw new IOException("constant " + tag);
        }
    }
}
