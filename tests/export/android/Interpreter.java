package org.tensorflow.lite;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The part of LiteRT's Java interface that the example uses; the file is run by LiteRT in Python. */
public final class Interpreter implements AutoCloseable {
    public static class Options {
        public Options setNumThreads(int threads) {
            return this;
        }

        public Options addDelegate(Delegate delegate) {
            return this;
        }
    }

    private final Path folder;

    public Interpreter(ByteBuffer model, Options options) throws IOException {
        folder = Files.createTempDirectory("interpreter");
        Files.write(folder.resolve("model.tflite"), bytesOf(model));
    }

    public void run(Object input, Object output) {
        runForMultipleInputsOutputs(new Object[] {input}, Map.of(0, output));
    }

    public void runForMultipleInputsOutputs(Object[] inputs, Map<Integer, Object> outputs) {
        try {
            for (int index = 0; index < inputs.length; index++) {
                Files.write(folder.resolve("input" + index), bytesOf((ByteBuffer) inputs[index]));
            }
            String[] command = {
                System.getProperty("python"), System.getProperty("program"), folder.toString()
            };
            if (new ProcessBuilder(command).inheritIO().start().waitFor() != 0) {
                throw new IllegalArgumentException("the model does not take this input");
            }
            ((ByteBuffer) outputs.get(0)).put(Files.readAllBytes(folder.resolve("output")));
        } catch (IOException | InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    @Override
    public void close() {}

    private static byte[] bytesOf(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }
}
