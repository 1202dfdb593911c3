package dev.lakemill.pipeline;

import java.util.regex.Pattern;

/** Functions of texts as Spark defines them, where no library of ours has the same. */
final class SparkTexts {
    /** The digits of the letters A to Z; 7 stands for H and W, 0 for vowels. */
    private static final String SOUNDS = "01230127022455012623017202";

    private SparkTexts() {}

    /** A text that does not begin with a letter from A to Z stays as it is. */
    static String soundex(String text) {
        if (text.isEmpty() || !isLetter(upper(text.charAt(0)))) {
            return text;
        }
        var code = new StringBuilder().append(upper(text.charAt(0)));
        var last = SOUNDS.charAt(upper(text.charAt(0)) - 'A');
        for (int i = 1; i < text.length() && code.length() < 4; i++) {
            var letter = upper(text.charAt(i));
            if (!isLetter(letter)) {
                last = '0';
                continue;
            }
            var sound = SOUNDS.charAt(letter - 'A');
            if (sound == '7') {
                continue;
            }
            if (sound != '0' && sound != last) {
                code.append(sound);
            }
            last = sound;
        }
        return code.append("0".repeat(4 - code.length())).toString();
    }

    private static char upper(char letter) {
        return letter >= 'a' && letter <= 'z' ? (char) (letter - 32) : letter;
    }

    private static boolean isLetter(char letter) {
        return letter >= 'A' && letter <= 'Z';
    }

    static int levenshtein(String left, String right) {
        var a = left.codePoints().toArray();
        var b = right.codePoints().toArray();
        var row = new int[b.length + 1];
        for (int j = 0; j <= b.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length; i++) {
            var diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length; j++) {
                var replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length];
    }

    /** The place, from 1, among parts that commas divide; 0 for a word with a comma. */
    static int findInSet(String word, String set) {
        if (word.indexOf(',') >= 0) {
            return 0;
        }
        var parts = set.split(",", -1);
        for (int i = 0; i < parts.length; i++) {
            if (parts[i].equals(word)) {
                return i + 1;
            }
        }
        return 0;
    }

    /** What stands before the n-th delimiter, or behind the n-th from the end. */
    static String substringIndex(String text, String delimiter, int count) {
        if (delimiter.isEmpty() || count == 0) {
            return "";
        }
        if (count > 0) {
            var at = -1;
            for (int i = 0; i < count; i++) {
                at = text.indexOf(delimiter, at + 1);
                if (at < 0) {
                    return text;
                }
            }
            return text.substring(0, at);
        }
        var at = text.length() - delimiter.length() + 1;
        for (int i = 0; i > count; i--) {
            at = text.lastIndexOf(delimiter, at - 1);
            if (at < 0) {
                return text;
            }
        }
        return text.substring(at + delimiter.length());
    }

    /** By a regular expression; a limit of zero or less keeps all parts. */
    static String[] split(String text, String pattern, int limit) {
        if (pattern.isEmpty() && !text.isEmpty()) {
            var characters = text.codePoints().mapToObj(Character::toString).toList();
            var kept = limit <= 0 ? characters.size() : Math.min(limit, characters.size());
            return characters.subList(0, kept).toArray(String[]::new);
        }
        return Pattern.compile(pattern).split(text, limit <= 0 ? -1 : limit);
    }
}
