#include "code.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace unrolled {
namespace {

constexpr std::int32_t MAGIC = 0x554e5231;
constexpr int MOST = 1 << 24;

[[noreturn]] void fail(const char* what) { throw std::invalid_argument(std::string("byte code: ") + what); }

class Reader {
   public:
    Reader(const std::int32_t* words, i64 count) : at_(words), end_(words + count) {}

    int next(int low, int high, const char* what) {
        if (at_ == end_) fail("it ends too early");
        int value = *at_++;
        if (value < low || value > high) fail(what);
        return value;
    }
    int count(const char* what) { return next(0, static_cast<int>(std::min<i64>(end_ - at_, MOST)), what); }
    bool finished() const { return at_ == end_; }

   private:
    const std::int32_t *at_, *end_;
};

const ViewInfo& view_of(const Code& code, int view, int column, int width) {
    const ViewInfo& info = code.views[view];
    bool repeated = info.kind == NARROW || info.kind == CONSTANT || info.kind == REPEATED;
    if (!repeated && column + width > info.width) fail("columns beyond a view");
    return info;
}

Group read_group(Reader& in, const Code& code, int width, int operands) {
    Group group;
    int results = in.next(1, MOST_OPERANDS, "results of a product"), factors = in.next(1, MOST_FACTORS, "factors");
    group.transposed = in.next(0, 1, "transposed");
    for (int f = 0; f < factors; ++f) {
        Factor factor;
        factor.view = in.next(0, static_cast<int>(code.views.size()) - 1, "view of a factor");
        factor.column = in.next(0, MOST, "column of a factor");
        factor.k = in.next(1, MOST, "width of a factor");
        int kind = view_of(code, factor.view, factor.column, factor.k).kind;
        if (kind == NARROW || kind == CONSTANT || kind == REPEATED || kind == VECTOR || kind == TALLIED)
            fail("a factor must have rows");
        group.factors.push_back(factor);
    }
    for (int r = 0; r < results; ++r) {
        Result result;
        result.out = in.next(0, operands - 1, "result of a product");
        for (int& init : result.init) init = in.next(-1, operands - 1, "start of a product");
        for (int f = 0; f < factors; ++f) {
            int weight = in.next(0, static_cast<int>(code.weights.size()) - 1, "weight");
            const WeightInfo& info = code.weights[weight];
            int wide = group.transposed ? info.in : info.out, deep = group.transposed ? info.out : info.in;
            if (wide != width || deep != group.factors[f].k) fail("a weight does not fit its product");
            result.weights.push_back(weight);
        }
        group.results.push_back(result);
    }
    for (const Result& result : group.results)
        for (int f = 0; f < factors; ++f)
            if (code.weights[result.weights[f]].heads != code.weights[group.results[0].weights[f]].heads)
                fail("heads of a product differ");
    return group;
}

Pass read_pass(Reader& in, const Code& code) {
    Pass pass;
    const int views = static_cast<int>(code.views.size());
    pass.stage = in.next(0, EPILOGUE, "stage");
    pass.width = in.next(1, MOST, "width of a pass");
    pass.slots = in.next(0, MOST_OPERANDS, "slots");
    int refs = in.next(0, MOST_OPERANDS, "references"), groups = in.count("products");
    int instructions = in.count("instructions"), sums = in.count("sums");
    for (int r = 0; r < refs; ++r) {
        Ref ref{in.next(0, views - 1, "view of a reference"), in.next(0, MOST, "column of a reference")};
        view_of(code, ref.view, ref.column, pass.width);
        pass.refs.push_back(ref);
    }
    const int operands = pass.slots + refs;
    for (int g = 0; g < groups; ++g) pass.groups.push_back(read_group(in, code, pass.width, operands));
    for (int i = 0; i < instructions; ++i) {
        Instruction instruction;
        instruction.op = in.next(0, OPS - 1, "operation");
        for (int* operand : {&instruction.out, &instruction.a, &instruction.b, &instruction.c})
            *operand = in.next(0, operands - 1, "operand");
        const bool tally = instruction.op == TALLY || instruction.op == TALLY_PRODUCT;
        const int to = instruction.out - pass.slots;
        if (tally != (to >= 0 && code.views[pass.refs[to].view].kind == TALLIED))
            fail("only tallies go to tallied views");
        pass.code.push_back(instruction);
    }
    for (int s = 0; s < sums; ++s) {
        Sum sum;
        sum.a = in.next(0, operands - 1, "operand of a sum"), sum.b = in.next(-1, operands - 1, "operand of a sum");
        sum.view = in.next(0, views - 1, "view of a sum");
        if (code.views[sum.view].kind != NARROW) fail("a sum must go to a narrow view");
        pass.sums.push_back(sum);
    }
    return pass;
}

}  // namespace

Code decode(const std::int32_t* words, i64 count, const double* constants, i64 constant_count) {
    Reader in(words, count);
    Code code;
    in.next(MAGIC, MAGIC, "another version of the package wrote it");
    int views = in.next(0, MOST_VIEWS, "views"), weights = in.count("weights"), passes = in.count("passes");
    int jobs = in.count("jobs"), vector_jobs = in.count("vector jobs");
    code.parts = in.next(1, 64, "parts of the state");
    int vectors = in.count("vectors");
    for (int v = 0; v < vectors; ++v) code.vectors.push_back(in.next(1, MOST, "width of a vector"));
    code.constants.assign(constants, constants + constant_count);
    for (int v = 0; v < views; ++v) {
        ViewInfo view{in.next(0, KINDS - 1, "kind"), in.next(0, MOST, "index"), in.next(1, MOST, "width of a view")};
        bool part = view.kind == PREVIOUS || view.kind == NEXT || view.kind == CARRY || view.kind == CARRY_NEXT;
        if (part && view.index >= code.parts) fail("a part of the state that is not there");
        if ((view.kind == VECTOR || view.kind == TALLIED) &&
            (view.index >= vectors || view.width > code.vectors[view.index]))
            fail("a vector that is not there");
        if (view.kind == CONSTANT && view.index >= constant_count) fail("a constant that is not there");
        code.views.push_back(view);
    }
    for (int w = 0; w < weights; ++w) {
        WeightInfo info{in.next(1, MOST, "heads"), in.next(1, MOST, "rows"), in.next(1, MOST, "columns")};
        if (info.out % info.heads || info.in % info.heads) fail("heads do not divide a weight");
        code.weights.push_back(info);
    }
    for (int p = 0; p < passes; ++p) code.passes.push_back(read_pass(in, code));
    auto outer = [&](int column, int width) {
        for (const ViewInfo& view : code.views)
            if (view.kind == OUTER && column + width <= view.width) return;
        fail("adjoints beyond their view");
    };
    for (int j = 0; j < jobs; ++j) {
        Job job;
        job.column = in.next(0, MOST, "column"), job.out = in.next(1, MOST, "rows");
        job.view = in.next(0, views - 1, "view"), job.operand_column = in.next(0, MOST, "column");
        job.in = in.next(1, MOST, "columns"), job.weight = in.next(0, weights - 1, "weight");
        job.offset = in.next(0, 2147483647, "offset");
        outer(job.column, job.out);
        int kind = view_of(code, job.view, job.operand_column, job.in).kind;
        if (kind != INPUT && kind != PREVIOUS && kind != NEXT && kind != SAVED && kind != EXTRA) fail("operand of a job");
        const WeightInfo& info = code.weights[job.weight];
        if (job.offset + i64(job.out) * job.in > i64(info.out) * info.in / info.heads) fail("a gradient beyond its weight");
        code.jobs.push_back(job);
    }
    for (int j = 0; j < vector_jobs; ++j) {
        VectorJob job;
        job.column = in.next(0, MOST, "column"), job.width = in.next(1, MOST, "width");
        job.vector = in.next(0, vectors - 1, "vector");
        outer(job.column, job.width);
        if (job.width > code.vectors[job.vector]) fail("a gradient beyond its vector");
        code.vector_jobs.push_back(job);
    }
    if (!in.finished()) fail("it is too long");
    return code;
}

}  // namespace unrolled
