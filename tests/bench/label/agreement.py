"""Agreement of the label with a person, cross-validated by source repository: the part of
tests/bench/diagnosis that compares.

FOLDER holds labels.tsv (columns id, source, label, alternatives, confidence at least; a run whose
task names dropout has it, of others it is not known), labelled/ID.csv and, for the stability of a running run's label, unlabelled/*.csv.

Two figures are given. "as built": the rules with the thresholds in the code, which were chosen
with curves like these. "cross-validated": for every repository the thresholds of GRID are
searched anew, from START, without that repository, and its curves are labelled with what was
found; so is the calibration of the confidence. The structure of the rules (which quantities,
which order) was made by people who saw the curves under development and cannot be redone: on
curves never seen expect something between the two or a little below.

Python's standard library only.
"""
import csv
import functools
import json
import math
import os
import subprocess
import tempfile
from collections import Counter, defaultdict

# Start of the search: round values of the first version, or 1 and 0 where it had no such test.
START = dict(z=1.28, wander=3, size=0.02, units=0, relax=1, relax_z=1, alike=1, pace=0,
             rise_level=0.06, rise_train=0.10, rise_wander=3, rise_sigma=3, rise_clear=10,
             net=0.15, swing=0.1, gap_sigma=3, dropout_ratio=5, dropout_val=0.1, dropout_flat=0.05,
             fell_train=0.5, fell_val=0.1, stuck_ratio=2.5)
GRID = dict(z=(1.0, 1.28, 1.64), wander=(3, 4, 5, 6), size=(0.02, 0.025, 0.03, 0.035, 0.04),
            units=(0, 2), relax=(0.2, 0.4, 0.6, 1), relax_z=(0.5, 0.75, 1), alike=(0.3, 0.5, 1),
            pace=(0, 0.15, 0.25, 0.35), rise_level=(0.03, 0.04, 0.05, 0.06),
            rise_train=(0.1, 0.15), rise_wander=(3, 4, 5), rise_sigma=(0, 2, 3),
            rise_clear=(2, 3, 10), net=(0.15, 0.25), swing=(0.06, 0.08, 0.1, 0.15),
            gap_sigma=(2, 3), dropout_ratio=(2.5, 3, 5), dropout_val=(0.1, 0.25),
            dropout_flat=(0.05, 0.1, 0.15), fell_train=(0.4, 0.5, 0.6), fell_val=(0.1, 0.2, 0.3),
            stuck_ratio=(1.6, 2, 2.5))
WEIGHT = {'high': 2.0, 'medium': 1.0, 'low': 0.5}
RARE = {'dataset_problem', 'train_above_val', 'dropout_too_strong', 'slow_rise', 'oscillating',
        'train_rising'}
CERTAIN = {'not_a_number', 'too_short'}  # their confidence is fixed
BINS = (0.0, 0.7, 0.8, 0.85, 0.9, 0.95, 1.001)


def wilson(hits, n, z=1.96):
    """95 % interval of a share (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    p, zz = hits / n, z * z / n
    middle = (p + zz / 2) / (1 + zz)
    half = z * math.sqrt(p * (1 - p) / n + zz / (4 * n)) / (1 + zz)
    return middle - half, middle + half


class Judge:
    """label_curves as a child: thresholds in, one line out."""

    def __init__(self, program, *args):
        self.child = subprocess.Popen([program, *args], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)

    def ask(self, rules):
        self.child.stdin.write(' '.join(f'{k}={v}' for k, v in rules.items()) + '\n')
        self.child.stdin.flush()
        return [cell.split(' ') for cell in self.child.stdout.readline().rstrip('\n').split('\t')]

    def close(self):
        self.child.stdin.close()
        self.child.wait()


class Curve:
    def __init__(self, row):
        self.id, self.label, self.confidence = row['id'], row['label'], row['confidence']
        self.alternatives = {a for a in row['alternatives'].split(',') if a}
        source = row.get('source', '')
        self.has_dropout = 'dropout' in (row.get('task') or '')
        self.repository = 'our own' if source.startswith('our own') else source

    def accepts(self, label):
        return label == self.label or label in self.alternatives


def read_labels(folder):
    with open(os.path.join(folder, 'labels.tsv'), newline='', encoding='utf-8') as f:
        return [Curve(row) for row in csv.DictReader(f, delimiter='\t')]


def list_file(paths):
    f = tempfile.NamedTemporaryFile('w', suffix='.txt', delete=False)
    with f:
        f.write('\n'.join(paths) + '\n')
    return f.name


# --- fitting ------------------------------------------------------------------------------------

def noise_penalty(noise):
    """Aims: 5 % on white noise, 20 % at AR(0.8), lengths from 20 on."""
    def share(rho):
        values = [float(f) for n, r, f in noise if float(r) == rho and int(n) >= 20]
        return sum(values) / len(values)
    return 200 * max(0.0, share(0) - 0.05) + 100 * max(0.0, share(0.8) - 0.20)


def search(labels_of, noise_of, curves, chosen):
    """Coordinate search over GRID on the chosen curves (indices); two rounds."""
    def value(rules):
        said = labels_of.ask(rules)
        total = sum(WEIGHT[curves[i].confidence] * (said[i][0] == curves[i].label) +
                    2 * curves[i].accepts(said[i][0]) for i in chosen)
        return total - noise_penalty(noise_of.ask(rules))
    rules, best = dict(START), value(START)
    for _ in range(2):
        before = best
        for name, options in GRID.items():
            for option in options:
                tried = {**rules, name: option}
                got = value(tried) if option != rules[name] else best
                if got > best + 0.6:  # less is one curve's doubt
                    rules, best = tried, got
        if best == before:
            break
    return rules


def sure(model, label, agreement):
    x = model[0] + model[1] * agreement + (model[2] if label in RARE else 0)
    return 1 / (1 + math.exp(-x))


def calibrate(examples):
    """Logistic curve for 'accepted' by Newton steps; a weak prior keeps it from certainty."""
    prior, strength = (1.0, 1.5, -0.5), 0.5
    model = list(prior)
    for _ in range(30):
        g = [strength * (p - m) for p, m in zip(prior, model)]
        h = [[strength * (i == j) for j in range(3)] for i in range(3)]
        for label, agreement, accepted in examples:
            x = (1.0, agreement, float(label in RARE))
            p = sure(model, label, agreement)
            for i in range(3):
                g[i] += (accepted - p) * x[i]
                for j in range(3):
                    h[i][j] += p * (1 - p) * x[i] * x[j]
        model = [m + s for m, s in zip(model, solve(h, g))]
    return model


def solve(a, b):
    """Gauss elimination, 3 x 3, positive definite."""
    n = len(b)
    m = [row[:] + [b[i]] for i, row in enumerate(a)]
    for i in range(n):
        for k in range(i + 1, n):
            f = m[k][i] / m[i][i]
            m[k] = [x - f * y for x, y in zip(m[k], m[i])]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (m[i][n] - sum(m[i][k] * x[k] for k in range(i + 1, n))) / m[i][i]
    return x


# --- tables -------------------------------------------------------------------------------------

def share_row(name, curves, said):
    n = len(curves)
    strict = sum(s == c.label for c, s in zip(curves, said))
    accepted = sum(c.accepts(s) for c, s in zip(curves, said))
    cells = [f'{name:34} {n:4}']
    for hits in (strict, accepted):
        low, high = wilson(hits, n)
        cells.append(f'{hits / n:5.3f} [{low:.2f},{high:.2f}]')
    print('  '.join(cells))
    return {'n': n, 'strict': round(strict / n, 4), 'accepted': round(accepted / n, 4)}


def tables(title, curves, said):
    print(f'\n== {title}\n{"":34} {"n":>4}  strict               with alternatives')
    result = {'all': share_row('all', curves, said)}
    for kind, key in (('confidence', lambda c: c.confidence), ('repository', lambda c: c.repository),
                      ('label', lambda c: c.label)):
        groups = defaultdict(list)
        for c, s in zip(curves, said):
            groups[key(c)].append((c, s))
        result[kind] = {name: share_row(f'{kind} {name}', *map(list, zip(*groups[name])))
                        for name in sorted(groups)}
    return result


def confusion(curves, said):
    count = Counter((c.label, s) for c, s in zip(curves, said))
    names = sorted({c.label for c in curves} | set(said))
    print('\nconfusion (rows: the person, columns: the label given)')
    print(' ' * 20 + ' '.join(f'{n[:7]:>7}' for n in names))
    for row in names:
        cells = ' '.join(f'{count[row, col] or ".":>7}' for col in names)
        print(f'{row:20}{cells}')


def calibration(title, examples):
    """examples: (confidence, accepted, strict)"""
    print(f'\ncalibration, {title}: confidence, n, mean confidence, accepted [95 %], strict')
    rows = []
    for low, high in zip(BINS, BINS[1:]):
        inside = [e for e in examples if low <= e[0] < high]
        if not inside:
            continue
        n, hits = len(inside), sum(e[1] for e in inside)
        a, b = wilson(hits, n)
        mean = sum(e[0] for e in inside) / n
        print(f'  {low:.2f}-{min(high, 1):.2f} {n:4} {mean:.3f}  {hits / n:.3f} [{a:.2f},{b:.2f}]  '
              f'{sum(e[2] for e in inside) / n:.3f}')
        rows.append([low, n, round(mean, 3), round(hits / n, 3)])
    return rows


def noise_table(noise):
    print('\nfalse trends on noise without any descent (share of single losses)')
    lengths = sorted({int(n) for n, _, _ in noise})
    print('  rho ' + ' '.join(f'n={n:<5}' for n in lengths) + ' mean  n>=20')
    result = {}
    for rho in sorted({r for _, r, _ in noise}, key=float):
        at = {int(n): float(f) for n, r, f in noise if r == rho}
        late = [at[n] for n in lengths if n >= 20]
        mean, mean20 = sum(at.values()) / len(at), sum(late) / len(late)
        print(f'  {rho:4}' + ' '.join(f'{at[n]:.3f}  ' for n in lengths) +
              f' {mean:.3f} {mean20:.3f}')
        result[rho] = {'mean': round(mean, 4), 'from_20': round(mean20, 4)}
    return result


# --- parts --------------------------------------------------------------------------------------

def cross_validated(labels_of, noise_of, curves):
    """Labels and confidences of every repository's curves, from the others. The calibration is
    fitted on the others' cross-validated labels: on labels that were fitted it would promise too
    much."""
    answers, chosen_rules = [None] * len(curves), {}
    for repository in sorted({c.repository for c in curves}):
        inside = [i for i, c in enumerate(curves) if c.repository == repository]
        others = [i for i, c in enumerate(curves) if c.repository != repository]
        rules = search(labels_of, noise_of, curves, others)
        chosen_rules[repository] = {k: v for k, v in rules.items() if v != START[k]}
        answer = labels_of.ask(rules)
        for i in inside:
            answers[i] = (answer[i][0], float(answer[i][1]))
    said = []
    for (label, agreement), curve in zip(answers, curves):
        model = calibration_without(curve.repository, answers, curves)
        said.append((label, 0.99 if label in CERTAIN else sure(model, label, agreement)))
    return said, chosen_rules


@functools.lru_cache(maxsize=None)
def _calibrated(examples):
    return calibrate(examples)


def calibration_without(repository, answers, curves):
    return _calibrated(tuple((label, agreement, c.accepts(label))
                             for (label, agreement), c in zip(answers, curves)
                             if c.repository != repository and label not in CERTAIN))


def stability(program, folder):
    paths = sorted(os.path.join(folder, 'unlabelled', f)
                   for f in os.listdir(os.path.join(folder, 'unlabelled')) if f.endswith('.csv'))
    listed = list_file(paths)
    lines = subprocess.run([program, 'prefixes', listed], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    os.unlink(listed)
    changes, back, per_step, steps = [], 0, 0, 0
    for line in lines:
        seen = [cell.split(' ')[1] for cell in line.split('\t')]
        seen = [s for s in seen if s != 'too_short']
        moved = [i for i in range(1, len(seen)) if seen[i] != seen[i - 1]]
        changes.append(len(moved))
        back += sum(i + 1 < len(seen) and seen[i + 1] == seen[i - 1] for i in moved)
        per_step += len(moved)
        steps += max(0, len(seen) - 1)
    changes.sort()
    result = {'runs': len(changes), 'median': changes[len(changes) // 2],
              'mean': round(sum(changes) / len(changes), 2), 'p90': changes[len(changes) * 9 // 10],
              'per_100_points': round(100 * per_step / max(1, steps), 2), 'back_next_point': back}
    print('\nlabel changes of running runs, unlabelled curves:', json.dumps(result))
    return result


def measure(program, folder):
    """Prints every table; the figures as one dict."""
    curves = read_labels(folder)
    listed = list_file([os.path.join(folder, 'labelled', c.id + '.csv') +
                        ('\tdropout' if c.has_dropout else '') for c in curves])
    labels_of, noise_of = Judge(program, 'labels', listed), Judge(program, 'noise')

    built = labels_of.ask({})
    said = [b[0] for b in built]
    results = {'bench': 'diagnosis_agreement', 'curves': len(curves)}
    results['as_built'] = tables('as built', curves, said)
    confusion(curves, said)
    second = sum(c.label in (b[0], b[2]) for c, b in zip(curves, built))
    print(f'\nlabel or runner-up is exactly the person\'s: {second / len(curves):.3f}')

    validated, chosen = cross_validated(labels_of, noise_of, curves)
    results['cross_validated'] = tables('cross-validated by repository', curves,
                                        [v[0] for v in validated])
    confusion(curves, [v[0] for v in validated])
    results['calibration'] = calibration(
        'cross-validated', [(v[1], c.accepts(v[0]), c.label == v[0])
                            for v, c in zip(validated, curves)])
    model = calibrate([(v[0], float(built[i][1]), curves[i].accepts(v[0]))
                       for i, v in enumerate(validated) if v[0] not in CERTAIN])
    print('fit on the cross-validated labels (base, agreement, rare):',
          ' '.join(f'{m:.2f}' for m in model))
    for repository, rules in chosen.items():
        print(f'  thresholds without {repository}: {json.dumps(rules)}')
    results['noise'] = noise_table(noise_of.ask({}))
    results['changes'] = stability(program, folder)
    for program in (labels_of, noise_of):
        program.close()
    os.unlink(listed)
    return results
