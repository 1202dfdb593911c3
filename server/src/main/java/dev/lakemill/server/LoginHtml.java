package dev.lakemill.server;

import java.util.HashMap;
import java.util.Map;

/** The login's HTML: no scripts, nothing from elsewhere, light and dark as the browser likes. */
final class LoginHtml {
    /** After its form, the consent sends the browser to the client on the person's machine. */
    private static final String POLICY =
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none';"
                    + " form-action 'self' http://127.0.0.1:* http://localhost:*";

    private static final String STYLE =
            """
            :root { color-scheme: light dark; --line: light-dark(#c9c9c4, #4a4a46); }
            body { font: 16px/1.5 system-ui, sans-serif; margin: 0; padding: 12vh 16px 48px;
              background: light-dark(#f6f6f3, #161614); color: light-dark(#1c1c1a, #ecece6); }
            main { max-width: 22rem; margin: 0 auto; }
            h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
            label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
            input { font: inherit; color: inherit; width: 100%; box-sizing: border-box;
              padding: .5rem .6rem; border: 1px solid var(--line); border-radius: 6px;
              background: light-dark(#fff, #20201d); }
            button { font: inherit; font-weight: 600; margin: 1.25rem .5rem 0 0; padding: .5rem 1rem;
              border: 1px solid transparent; border-radius: 6px; cursor: pointer;
              background: light-dark(#1d5c3c, #7fd3a5); color: light-dark(#fff, #10231a); }
            button.plain { background: none; color: inherit; border-color: var(--line); }
            :focus-visible { outline: 3px solid light-dark(#2f7fd6, #7db8f5); outline-offset: 2px; }
            .problem { border-left: 4px solid light-dark(#b3261e, #ff8a80); padding: .1rem .75rem; }
            .hint { color: light-dark(#5a5a54, #a8a8a0); font-size: .9rem; margin: .25rem 0 0; }
            """;

    private LoginHtml() {}

    static Routes.Reply login(int status, String problem, String name, String target) {
        var body =
                """
                %s<form method="post" action="/login">
                <label for="name">Name</label>
                <input id="name" name="name" value="%s" autocomplete="username" autocapitalize="none"
                  spellcheck="false" required%s>
                <label for="password">Password</label>
                <input id="password" name="password" type="password" autocomplete="current-password"
                  required%s>
                %s<button>Log in</button>
                </form>
                """
                        .formatted(
                                problem(problem),
                                escaped(name),
                                name.isEmpty() ? " autofocus" : "",
                                name.isEmpty() ? "" : " autofocus",
                                hidden(Map.of("return_to", target)));
        return page(status, "Log in", body);
    }

    /**
     * @param first whether the user has no password yet
     */
    static Routes.Reply code(
            int status, String problem, String name, boolean first, Map<String, String> fields) {
        var body =
                """
                %s<p>You are <strong>%s</strong>. This link works once.</p>
                <form method="post" action="/login/code">
                <input type="hidden" name="name" value="%s" autocomplete="username">
                <label for="password">%s</label>
                <input id="password" name="password" type="password" autocomplete="new-password"
                  minlength="12" maxlength="256" aria-describedby="hint" autofocus>
                <p class="hint" id="hint">At least 12 characters. Leave it empty to log in now
                without changing it.</p>
                %s<button>Continue</button>
                </form>
                """
                        .formatted(
                                problem(problem),
                                escaped(name),
                                escaped(name),
                                first ? "Choose a password" : "Choose a new password",
                                hidden(fields));
        return page(status, "Welcome to Lakemill", body);
    }

    static Routes.Reply consent(String client, String name, Map<String, String> fields) {
        var body =
                """
                <p>The program <strong>%s</strong> on this computer asks to act as
                <strong>%s</strong>, with everything that %s may do here.</p>
                <p class="hint">Allow it only if you have just started it yourself.</p>
                <form method="post" action="/oidc/v1/authorize">
                %s<button name="decision" value="allow">Allow</button>
                <button class="plain" name="decision" value="deny">Do not allow</button>
                </form>
                """
                        .formatted(escaped(client), escaped(name), escaped(name), hidden(fields));
        return page(200, "Allow access?", body);
    }

    /**
     * Goes on to where another host is sent to: a redirect to it would be the form's, which the
     * policy does not let out.
     */
    static Routes.Reply onward(Map<String, String> headers, String target) {
        var reply =
                page(
                        200,
                        "You are logged in",
                        """
                        <meta http-equiv="refresh" content="0; url=%1$s">
                        <p><a href="%1$s">Go on</a></p>"""
                                .formatted(escaped(target)));
        var all = new HashMap<>(reply.headers());
        all.putAll(headers);
        return new Routes.Reply(200, all, reply.body());
    }

    static Routes.Reply message(int status, String title, String text) {
        return page(
                status,
                title,
                "<p>%s</p>\n<p><a href=\"/login\">Log in</a></p>".formatted(escaped(text)));
    }

    private static Routes.Reply page(int status, String title, String body) {
        var headers =
                Map.of(
                        "content-type", "text/html; charset=utf-8",
                        "content-security-policy", POLICY,
                        "x-content-type-options", "nosniff",
                        "referrer-policy", "same-origin");
        var page =
                """
                <!doctype html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <title>%1$s · Lakemill</title>
                <style>
                %2$s</style>
                </head>
                <body><main>
                <h1>%1$s</h1>
                %3$s
                </main></body>
                </html>
                """
                        .formatted(escaped(title), STYLE, body);
        return new Routes.Reply(status, headers, page);
    }

    private static String problem(String text) {
        return text.isEmpty()
                ? ""
                : "<p class=\"problem\" role=\"alert\">%s</p>\n".formatted(escaped(text));
    }

    private static String hidden(Map<String, String> fields) {
        var inputs = new StringBuilder();
        fields.forEach(
                (name, value) ->
                        inputs.append(
                                "<input type=\"hidden\" name=\"%s\" value=\"%s\">\n"
                                        .formatted(escaped(name), escaped(value))));
        return inputs.toString();
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
