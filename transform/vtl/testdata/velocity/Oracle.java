import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.event.InvalidReferenceEventHandler;
import org.apache.velocity.context.*;
import org.apache.velocity.runtime.RuntimeInstance;
import org.apache.velocity.runtime.parser.node.SimpleNode;
import org.apache.velocity.util.introspection.Info;

/**
 * Runs templates with Velocity 1.7, set up as the managed gateway is. It reads requests from its standard input and writes an answer to each.
 *
 * Request: 'R' and a template to render, or 'B' and templates to measure: how many milliseconds to warm up, how many turns, how many templates,
 * each an int, and the templates. A template is its length, an int, and its bytes.
 * Answer: for 'R' 0 and the output (an int and the bytes), or 1 and the exception; for 'B' the nanoseconds of all turns as a long.
 */
public class Oracle {
    /** What the gateway makes of references that are invalid. */
    public static class Empty implements InvalidReferenceEventHandler {
        public Object invalidGetMethod(Context c, String reference, Object o, String property, Info i) { return ""; }
        public boolean invalidSetMethod(Context c, String left, String right, Info i) { return false; }
        public Object invalidMethod(Context c, String reference, Object o, String method, Info i) { return ""; }
    }

    static RuntimeInstance engine() {
        RuntimeInstance ri = new RuntimeInstance();
        ri.setProperty("runtime.log.logsystem.class", "org.apache.velocity.runtime.log.NullLogChute");
        ri.setProperty("eventhandler.invalidreferences.class", Empty.class.getName());
        ri.setProperty("velocimacro.permissions.allow.inline", "false");
        ri.setProperty("velocimacro.library", "");
        ri.setProperty("directive.foreach.maxloops", "1000");
        ri.setProperty("runtime.introspector.uberspect", "org.apache.velocity.util.introspection.SecureUberspector");
        ri.setProperty("parser.pool.size", "1");
        ri.init();
        for (String d : new String[] {"evaluate", "parse", "include"}) ri.removeDirective(d);
        return ri;
    }

    static VelocityContext context() {
        VelocityContext c = new VelocityContext();
        c.put("word", "tea");
        c.put("text", "Zoë's 5 \"cups\"");
        c.put("empty", "");
        c.put("one", 1);
        c.put("num", 42);
        c.put("neg", -7);
        c.put("long", 5000000000L);
        c.put("half", 0.5);
        c.put("yes", true);
        c.put("no", false);
        c.put("list", new ArrayList<Object>(Arrays.asList("a", "b", 3, "b")));
        Map<Object, Object> m = new LinkedHashMap<>();
        m.put("k", "v");
        m.put("n", 2);
        m.put("sub", new ArrayList<Object>(Arrays.asList(1, 2)));
        c.put("map", m);
        c.put("a-b", "hyphen");
        List<Object> items = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            Map<Object, Object> item = new LinkedHashMap<>();
            item.put("id", i);
            item.put("name", "Item number " + i);
            item.put("price", i * 0.25);
            item.put("tags", new ArrayList<Object>(Arrays.asList("red", "green", "blue")));
            items.add(item);
        }
        c.put("items", items);
        return c;
    }

    static long bench(RuntimeInstance ri, List<String> templates, int warmMillis, int turns) throws Exception {
        List<SimpleNode> trees = new ArrayList<>();
        for (String template : templates) {
            SimpleNode tree = ri.parse(new StringReader(template), "t");
            InternalContextAdapterImpl ica = new InternalContextAdapterImpl(new VelocityContext());
            ica.pushCurrentTemplateName("t");
            tree.init(ica, ri);
            trees.add(tree);
        }
        VelocityContext vars = context();
        int[] sizes = new int[trees.size()];
        for (long end = System.nanoTime() + warmMillis * 1_000_000L; System.nanoTime() < end; ) all(ri, trees, vars, sizes);
        long start = System.nanoTime();
        for (int i = 0; i < turns; i++) all(ri, trees, vars, sizes);
        return System.nanoTime() - start;
    }

    static void all(RuntimeInstance ri, List<SimpleNode> trees, VelocityContext vars, int[] sizes) throws Exception {
        for (int i = 0; i < sizes.length; i++) sizes[i] = once(ri, trees.get(i), vars, sizes[i]);
    }

    static int once(RuntimeInstance ri, SimpleNode tree, VelocityContext vars, int size) throws Exception {
        // Its variables are its own, so that a template starts afresh. The writer starts with the size it needs.
        StringWriter w = new StringWriter(Math.max(16, size));
        ri.render(new VelocityContext(vars), w, "t", tree);
        return w.getBuffer().length();
    }

    static String read(DataInputStream in) throws IOException {
        byte[] b = new byte[in.readInt()];
        in.readFully(b);
        return new String(b, StandardCharsets.UTF_8);
    }

    public static void main(String[] args) throws Exception {
        Thread.currentThread().setContextClassLoader(Oracle.class.getClassLoader()); // which is where Velocity looks for Empty
        RuntimeInstance ri = engine();
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out));
        for (int op = in.read(); op >= 0; op = in.read()) {
            if (op == 'B') {
                int warmMillis = in.readInt(), turns = in.readInt();
                List<String> templates = new ArrayList<>();
                for (int n = in.readInt(); n > 0; n--) templates.add(read(in));
                out.writeLong(bench(ri, templates, warmMillis, turns));
                out.flush();
                continue;
            }
            String template = read(in);
            byte[] answer;
            try {
                StringWriter w = new StringWriter();
                ri.evaluate(context(), w, "t", template);
                answer = w.toString().getBytes(StandardCharsets.UTF_8);
                out.write(0);
            } catch (Throwable t) {
                answer = (t.getClass().getName() + ": " + t.getMessage()).getBytes(StandardCharsets.UTF_8);
                out.write(1);
            }
            out.writeInt(answer.length);
            out.write(answer);
            out.flush();
        }
    }
}
