package org.example.isp

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** App.kt MODEL MOSAIC HEIGHT WIDTH STRIDE LIGHT, then for each picture TOP LEFT PICTURE: develops crops of a mosaic. */
fun main(arguments: Array<String>) {
    val model = ByteBuffer.wrap(File(arguments[0]).readBytes())
    val mosaic = ByteBuffer.wrap(File(arguments[1]).readBytes()).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer()
    val (height, width, stride) = arguments.slice(2..4).map { it.toInt() }
    val developer = Developer(model, height, width)
    val light = if (arguments[5] == "none") null else arguments[5].split(",").map { it.toFloat() }.toFloatArray()
    for ((top, left, picture) in arguments.drop(6).chunked(3)) {
        val rgb = developer.develop(mosaic, stride, top.toInt(), left.toInt(), light)
        val bytes = ByteArray(rgb.remaining())
        rgb.get(bytes)
        File(picture).writeBytes(bytes)
    }
    developer.close()
}
