package org.tensorflow.lite;

/** The part of LiteRT's interface that the example names. */
public interface Delegate extends AutoCloseable {
    @Override
    void close();
}
