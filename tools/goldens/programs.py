"""Writes test/golden/programs/cases.json: calls of the programs beside it, and what NumPy and JAX make of them.

usage: python tools/goldens/programs.py        (needs numpy and jax; run from the root of the repository)
"""

import numpy as np, jax, jax.numpy as jnp
from case_files import CaseFile
jax.config.update('jax_enable_x64', False)
jax.config.update('jax_threefry_partitionable', True)
rng = np.random.default_rng(0)
f = lambda *s: (rng.standard_normal(s) if s else np.array(rng.standard_normal())).astype(np.float32)
F = lambda v: np.array(v, np.float32)
I = lambda v: np.array(v, np.int32)
file = CaseFile('test/golden/programs/cases.json')
case = file.add

# regression
x=f(12,3); w=F([1,-2,.5]); y=x@w+0.3
def lossf(m,x,y): return jnp.mean((x@m['w']+m['b']-y)**2)
m={'w':jnp.zeros(3),'b':jnp.float32(0)}
for i in range(7): m=jax.tree.map(lambda p,g:p-.1*g,m,jax.grad(lossf)(m,x,y))
ls=[]
for i in range(20):
    l,g=jax.value_and_grad(lossf)(m,x,y); ls.append(l); m=jax.tree.map(lambda p,g:p-.05*g,m,g)
m0={'w':jnp.zeros(3),'b':jnp.float32(0)}
for i in range(7): m0=jax.tree.map(lambda p,g:p-.1*g,m0,jax.grad(lossf)(m0,x,y))
case('regression','fit',[x,y,I(7)],[{'w':m0['w'],'b':m0['b']},jnp.array(ls)])
yb=(x@w+f(12)>0)
def nll(w): 
    z=x@w; return jnp.mean(jnp.where(yb,jax.nn.softplus(-z),jax.nn.softplus(z)))+.01*jnp.sum(w*w)
w=jnp.zeros(3)
for i in range(5): w=w-jnp.linalg.solve(jax.hessian(nll)(w),jax.grad(nll)(w))
case('regression','newton',[x,yb],w,1e-4)
# clusters
x=f(20,2); c=x[:3].copy(); c0=c
for i in range(4):
    a=np.argmin(((x[:,None]-c[None])**2).sum(-1),1); c=np.stack([x[a==k].mean(0) if (a==k).any() else c[k] for k in range(3)])
case('clusters','kmeans',[x,c0,I(4)],[c,np.argmin(((x[:,None]-c[None])**2).sum(-1),1).astype(np.int32)])
xc=x-x.mean(0); cov=xc.T@xc/20; v=F([1,0.5]); v0=v
for i in range(50): v=cov@v; v=v/np.sqrt((v**2).sum())
case('clusters','pca',[x,v0,I(50)],[v,v@cov@v])
sq=(x*x).sum(1); case('clusters','distances',[x],np.sqrt(np.maximum(sq[:,None]+sq-2*x@x.T,0)),2e-3)
case('clusters','nearest',[x,F([.1,.2])],[I(np.argmin(np.abs(x-F([.1,.2])).sum(1))),x[np.argmin(np.abs(x-F([.1,.2])).sum(1))]])
# recurrent
lin=lambda i,o:{'w':f(i,o)*F(.5),'b':f(o)*F(.1)}
g={'gates':lin(5,6),'cand':lin(5,3)}; xs=f(4,2,2)
L=lambda x,m:x@m['w']+m['b']
def cell(m,h,x):
    z,r=jnp.split(jax.nn.sigmoid(L(jnp.concatenate([x,h],-1),m['gates'])),2,-1)
    return (1-z)*h+z*jnp.tanh(L(jnp.concatenate([x,r*h],-1),m['cand']))
h=jnp.zeros((2,3));hs=[]
for t in range(4): h=cell(g,h,xs[t]);hs.append(h)
case('recurrent','gru',[g,xs],[h,jnp.stack(hs)])
def gl(m):
    h=jnp.zeros((2,3))
    for t in range(4): h=cell(m,h,xs[t])
    return jnp.mean(h**2)
l,gg=jax.value_and_grad(gl)(g)
gg={'gates':{'w':gg['gates']['w'],'b':gg['gates']['b']},'cand':{'w':gg['cand']['w'],'b':gg['cand']['b']}}
case('recurrent','gru_grad',[g,xs],[l,gg])
r={'w':f(3,3),'u':f(3),'b':f(3)}; xs=f(4,5)
def run(m,x):
    h=jnp.zeros(3);ys=[]
    for t in range(5): h=jnp.tanh(m['w']@h+m['u']*x[t]+m['b']); ys.append(h.sum())
    return jnp.stack(ys)
case('recurrent','rnn',[r,xs],jnp.stack([run(r,v) for v in xs]))
gs=[jax.grad(lambda m:jnp.sum(run(m,v)**2))(r) for v in xs]
case('recurrent','rnn_grads',[r,xs],{k:jnp.stack([q[k] for q in gs]) for k in 'wub'},1e-4)
# conv
x=f(2,6,5,2); w=f(4,3,3,2)
cv=lambda x,w: jax.lax.conv_general_dilated(x,w,(1,1),'VALID',dimension_numbers=('NHWC','OHWI','NHWC'))
case('convolution','both',[x,w],[cv(x,w)]*2)
case('convolution','conv_grad',[x,w],list(jax.grad(lambda x,w:jnp.sum(jnp.sin(cv(x,w))),(0,1))(x,w)))
x=f(1,4,6,2); case('convolution','pool',[x],x.reshape(1,2,2,3,2,2).max((2,4)),dims={'H':2,'W':3})
x=f(7);k=f(3); case('convolution','same_padding',[x,k],np.correlate(x,k,'same'))
# norms
x=f(6,4);bn={'scale':f(4),'shift':f(4),'mean':f(4),'var':np.abs(f(4))}
def bnf(x,mu,v): return (x-mu)/np.sqrt(v+1e-5)*bn['scale']+bn['shift']
tr=bnf(x,x.mean(0),x.var(0)); inf=bnf(x,bn['mean'],bn['var'])
case('norms','train',[x,bn],[tr,{**bn,'mean':.9*bn['mean']+.1*x.mean(0),'var':.9*bn['var']+.1*x.var(0)}])
case('norms','infer',[x,bn],inf); case('norms','either',[x,bn,np.array(True)],tr); case('norms','either',[x,bn,np.array(False)],inf)
rms=lambda x,w:x/jnp.sqrt(jnp.mean(x*x,-1,keepdims=True)+1e-6)*w
x=f(2,3,5);w=f(5); case('norms','rms32',[x,w],rms(x,w))
x=f(3,5); case('norms','rms16',[x.astype(np.float16),w.astype(np.float16)],np.asarray(rms(x,w)).astype(np.float16),5e-3)
xb=jnp.asarray(x,jnp.bfloat16);wb=jnp.asarray(w,jnp.bfloat16)
case('norms','rmsbf',[xb,wb],jnp.asarray(rms(xb.astype(jnp.float32),wb.astype(jnp.float32)),jnp.bfloat16),3e-2)
gx=f(2,4,6);q=gx.reshape(2,4,3,2);mm=q.mean((1,3),keepdims=True);s=q.std((1,3),keepdims=True)
case('norms','group_norm',[gx],((q-mm)/(s+1e-5)).reshape(2,4,6))
case('norms','rms_grads',[x,w],list(jax.grad(lambda x,w:jnp.sum(rms(x,w)**3),(0,1))(x,w)),1e-4)
# attention
def gqa(q,k,v,mask):
    B,HG,N,D=q.shape;H=k.shape[1];q=q.reshape(B,H,HG//H,N,D)
    s=jnp.einsum('bhgnd,bhmd->bhgnm',q,k)/np.sqrt(D); p=jax.nn.softmax(jnp.where(mask,s,-jnp.inf),-1)
    return jnp.einsum('bhgnm,bhmd->bhgnd',p,v).reshape(B,HG,N,D)
q=f(2,4,5,6);k=f(2,2,5,6);v=f(2,2,5,6); i=np.arange(5)
case('attention','causal',[q,k,v],gqa(q,k,v,i[:,None]>=i))
age=i[:,None]-i; case('attention','windowed',[q,k,v,I(2)],gqa(q,k,v,(age>=0)&(age<2)))
def rope(x):
    N,D=x.shape[-2:];fr=10000.0**(-2*np.arange(D//2)/D);an=(np.arange(N)[:,None]*fr).astype(np.float32)
    a,b=jnp.split(x,2,-1);c,s=np.cos(an),np.sin(an); return jnp.concatenate([a*c-b*s,a*s+b*c],-1)
x=f(2,5,6); case('attention','rotated',[x],rope(x))
q=f(1,4,5,8);k=f(1,2,5,8);v=f(1,2,5,8)
case('attention','rotated_attention_grad',[q,k,v],list(jax.grad(lambda q,k,v:jnp.sum(gqa(rope(q),rope(k),v,i[:,None]>=i)**2),(0,1,2))(q,k,v)),1e-4)
q=f(3,5,4);k=f(3,5,4);v=f(3,5,4);sl=2.0**(-8*np.arange(1,4)/3)
case('attention','alibi',[q,k,v],jax.nn.softmax(q@k.swapaxes(1,2)/2+sl[:,None,None]*(i[None]-i[:,None]),-1)@v)
# experts
ex={'up':{'w':f(3,4,8),'b':f(3,8)},'down':{'w':f(3,8,4),'b':f(3,4)}};gate=f(4,3);x=f(6,4)
p=jax.nn.softmax(x@gate,-1);ch=np.argmax(p,-1)
def expert(e,t):
    h=jax.nn.gelu(t@ex['up']['w'][e]+ex['up']['b'][e],approximate=False);return h@ex['down']['w'][e]+ex['down']['b'][e]
y=jnp.stack([p[n,ch[n]]*expert(ch[n],x[n]) for n in range(6)])
case('experts','top1',[ex,gate,x],[y,I(np.bincount(ch,minlength=3))])
exl=[{'up':{'w':ex['up']['w'][e],'b':ex['up']['b'][e]},'down':{'w':ex['down']['w'][e],'b':ex['down']['b'][e]}} for e in range(3)]
case('experts','soft',[exl,gate,x],sum(p[:,e:e+1]*expert(e,x) for e in range(3)))
# vae
vm={'enc':lin(5,4),'dec':lin(2,5)};x=np.abs(f(3,5))
def elbo(m):
    h=L(x,m['enc']);mu,lv=jnp.split(h,2,-1);eps=jax.random.normal(jax.random.key(3),(3,2));z=mu+jnp.exp(.5*lv)*eps
    lo=L(z,m['dec']);return jnp.mean(jnp.sum(jax.nn.softplus(lo)-x*lo,-1)-.5*jnp.sum(1+lv-mu**2-jnp.exp(lv),-1))
l,g=jax.value_and_grad(elbo)(vm); g={k:{'w':g[k]['w'],'b':g[k]['b']} for k in ('enc','dec')}
case('vae','loss_and_grad',[vm,x,I(3)],[l,g],1e-4)
# gp
x=f(5,2);y=f(4,2);km=lambda x,y,s:jnp.exp(-.5*(((x[:,None]-y[None])/s)**2).sum(-1))
case('gaussian_process','kernel_matrix',[x,y,F(.8)],km(x,y,.8))
case('gaussian_process','factor',[x,F(.8),F(.1)],jnp.linalg.cholesky(km(x,x,.8)+.1*jnp.eye(5)),1e-4)
yy=f(5)
def gnll(s,n):
    l=jnp.linalg.cholesky(km(x,x,s)+n*jnp.eye(5));z=jax.scipy.linalg.solve_triangular(l,yy,lower=True);return .5*z@z+jnp.log(jnp.diag(l)).sum()+2.5*np.log(2*np.pi)
l,g=jax.value_and_grad(gnll,(0,1))(jnp.float32(.8),jnp.float32(.1)); case('gaussian_process','evidence',[x,yy,F(.8),F(.1)],[l,list(g)],1e-3)
# sampling
R=jax.random
ld=lambda x:-.5*jnp.sum(x**2)-jnp.sum(x**4)
st=F([.1,.2,.3]);x=st;acc=0
for i in range(6):
    ks=R.split(R.fold_in(R.key(5),i));pr=x+.5*R.normal(ks[0],(3,));u=R.uniform(ks[1],());ok=bool(jnp.log(u)<ld(pr)-ld(x));x=pr if ok else x;acc+=ok
case('sampling','metropolis',[I(5),st,I(6)],[x,I(acc)])
st=f(4,2);ks=R.split(R.key(2),4);o=[]
for c in range(4):
    x=st[c]
    for i in range(10): x=x+.01*jax.grad(ld)(x)+np.float32(np.sqrt(.02))*R.normal(R.fold_in(ks[c],i),(2,))
    o.append(x)
case('sampling','langevin',[I(2),st],jnp.stack(o),1e-4)
p=R.uniform(R.key(1),(10000,2)); case('sampling','estimate_pi',[I(1)],4*jnp.mean((jnp.sum(p**2,-1)<=1).astype(jnp.float32)))
k=R.key(9); case('sampling','draws',[I(9)],[R.randint(k,(7,),0,100),R.bernoulli(k,.3,(6,)),R.categorical(k,F([[0,1,2],[1,1,1],[5,0,0],[0,0,5]])).astype(np.int32)])
ks=R.split(R.fold_in(R.key(4),2),3);kd=np.asarray(R.key_data(ks)); case('sampling','fork',[np.asarray(R.key_data(R.key(4))),I(2)],[kd[0],kd])
# simulation
def rk4(fn,y,h):
    k1=fn(y);k2=fn(y+h/2*k1);k3=fn(y+h/2*k2);k4=fn(y+h*k3);return y+h/6*(k1+2*k2+2*k3+k4)
y=np.array([1.,0.]);
for i in range(30): y=rk4(lambda s:np.array([s[1],-s[0]-.1*s[1]]),y,.1)
case('simulation','oscillator',[{'x':F(1),'v':F(0)},F(.1),I(30)],{'x':y[0],'v':y[1]},1e-4)
y=np.array([1.,1,1]);o=[]
for i in range(50): y=rk4(lambda y:np.array([10*(y[1]-y[0]),y[0]*(28-y[2])-y[1],y[0]*y[1]-8/3*y[2]]),y,.01);o.append(y)
case('simulation','lorenz',[{'sigma':F(10),'rho':F(28),'beta':F(8/3)},F([1,1,1]),F(.01)],np.stack(o),1e-3)
x=f(4,3);v=f(4,3);ms=np.abs(f(4))
def ac(x): d=x[None]-x[:,None];r2=(d*d).sum(-1)+.01;return (d*(ms/(r2*np.sqrt(r2)))[...,None]).sum(1)
X,V=x.copy(),v.copy()
for i in range(5): V=V+.005*ac(X);X=X+.01*V;V=V+.005*ac(X)
case('simulation','n_body',[{'position':x,'velocity':v},ms,F(.01),I(5)],{'position':X,'velocity':V},1e-4)
def pot(x):
    d=x[:,None]-x[None];return -.5*jnp.sum(ms[:,None]*ms[None]/jnp.sqrt((d*d).sum(-1)+.01))
case('simulation','energy_gradient',[x,ms],-jax.grad(pot)(x),1e-4)
u=f(9);U=u.copy()
for i in range(6): U=U+.25*(np.roll(U,1)-2*U+np.roll(U,-1))
case('simulation','heat',[u,I(6)],U)
u=f(5,6);U=u.copy()
for i in range(3): n=U.copy();n[1:-1,1:-1]+=.2*(U[2:,1:-1]+U[:-2,1:-1]+U[1:-1,2:]+U[1:-1,:-2]-4*U[1:-1,1:-1]);U=n
case('simulation','plate',[u,I(3)],U)
# grids
g=(rng.random((7,8))<.4).astype(np.uint8);G=g.copy()
for i in range(5):
    n=sum(np.roll(np.roll(G,a,0),b,1) for a in(-1,0,1) for b in(-1,0,1))-G;G=((n==3)|((G==1)&(n==2))).astype(np.uint8)
case('grids','life',[g,I(5)],[G,I(G.sum())])
re=np.linspace(-2,.5,9).astype(np.float32);im=np.linspace(-1.1,1,6).astype(np.float32)
def esc(c):
    x=y=np.float32(0);n=0
    for i in range(30):
        if x*x+y*y>4:break
        x,y=x*x-y*y+c[0],2*x*y+c[1];n+=1
    return n
mb=I([[esc((a,b)) for a in re] for b in im]); case('grids','mandelbrot',[re,im,I(30)],mb); case('grids','mandelbrot_each',[re,im],mb)
r=rng.random(11)<.5;Rr=r.copy()
for i in range(4): l=np.roll(Rr,1);t=np.roll(Rr,-1);Rr=(Rr^t)|(Rr&~l)
case('grids','rule',[r,I(4)],Rr)
# signals
x=f(12);case('signals','spectrum',[x],np.abs(np.fft.fft(x)),1e-4)
t=np.frombuffer(b'thequickbrownfoxjumpsoverthelazydog',np.uint8);o=np.zeros((26,26),np.int32);np.add.at(o,(t[:-1].astype(int)-97,t[1:].astype(int)-97),1);case('signals','bigrams',[t],o)
x=f(40);case('signals','histogram',[x,F(-1),F(1)],I(np.histogram(x[x<1],8,(-1,1))[0]))
x=f(10);case('signals','sort',[x],np.sort(x),dims={'N':5})
e=0;es=[]
for v in x: e=.9*e+.1*v;es.append(e)
case('signals','running',[x],[np.cumsum(x),np.cumprod(x),np.maximum.accumulate(x),np.array(es)])
case('signals','moving_average',[x],np.convolve(x,np.ones(4)/4,'valid'))
xp=np.sort(f(6));fp=f(6);xq=np.linspace(xp[0],xp[-1],7).astype(np.float32)[:-1];case('signals','interpolate',[xq,xp,fp],np.interp(xq,xp,fp))


def more(G):
    case,f,F,I,rng=G['case'],G['f'],G['F'],G['I'],G['rng']
    grad,vmap=jax.grad,jax.vmap
    p={'w':f(3,2),'b':f(2)}
    model=lambda p,x:jnp.tanh(x@p['w']+p['b']); loss=lambda p,x:jnp.sum(model(p,x)**2)
    wb=lambda d:{'w':d['w'],'b':d['b']}
    xs=f(4,3);x=f(3);v=f(3);c=f(2)
    T='transformations'
    case(T,'per_example',[p,xs],wb(vmap(grad(loss),(None,0))(p,xs)))
    J=jax.jacfwd(lambda x:model(p,x))(x);case(T,'jacobians',[p,x],[J,J])
    h=jax.jvp(grad(lambda x:loss(p,x)),(x,),(v,))[1];case(T,'hvp',[p,x,v],[h,h],1e-4)
    y,b=jax.vjp(model,p,x);dp,dx=b(c);case(T,'pull',[p,x,c],[y,wb(dp),dx])
    case(T,'push',[p,x,v],list(jax.jvp(lambda x:model(p,x),(x,),(v,))))
    l,g=jax.value_and_grad(lambda p:jnp.mean(jnp.sin(xs@p['w']+p['b'])**2))(p);case(T,'rematerialised',[p,xs],[l,wb(g)])
    x=F([.3,1.7,-2.2,2.5]);case(T,'straight_through',[x],[np.round(x),2*np.round(x)])
    case(T,'clipped',[x,F(2)],np.clip(3*x**2,-2,2))
    fn=lambda x:x**4+jnp.sin(x);case(T,'third',[F(.7)],[grad(fn)(.7),grad(grad(fn))(.7),grad(grad(grad(fn)))(.7)])
    def end(lr):
        z=x
        for i in range(5): z=z-lr*(2*z+.4*z**3)
        return jnp.sum(z**2+.1*z**4)
    case(T,'hypergradient',[x,F(.1)],list(jax.value_and_grad(end)(jnp.float32(.1))),1e-4)
    def nw(a):
        y=a
        for i in range(30):
            if abs(float(y*y-a))<=1e-6:break
            y=.5*(y+a/y)
        return y
    case(T,'through_while',[F(2)],[np.sqrt(2),.5/np.sqrt(2)],1e-4)
    def fw(x):
        y=x
        while float(y if not hasattr(y,'primal') else y.primal)<100: y=y*y+1
        return y
    y=1.5;d=1.0
    while y<100: d=2*y*d;y=y*y+1
    case(T,'forward_while',[F(1.5)],[y,d],1e-4)
    case(T,'branches',[F(2)],[4.,4.]);case(T,'branches',[F(-2)],[6.,-3.])
    xs=f(2,5,3);case(T,'nested',[xs,p],model(p,xs))
    x=f(3,4);y=f(4);case(T,'other_axes',[x,y],np.stack([x.sum(0)*y,y]))
    # trees
    T='trees';lin=G['lin']
    blk=lambda:{'up':lin(4,8),'down':lin(8,4),'gain':F(.5)}
    m={'blocks':[blk(),blk()],'head':lin(4,3),'pair':[f(4),I(3)]}
    L=lambda x,m:x@m['w']+m['b']
    def run(m,x):
        for b in m['blocks']: x=x+b['gain']*L(jnp.tanh(L(x,b['up'])),b['down'])
        return L(x+m['pair'][0],m['head'])
    x=f(5,4);case(T,'forward',[m,x],run(m,x))
    fl={'blocks':m['blocks'],'head':m['head'],'p0':m['pair'][0]}
    l,g=jax.value_and_grad(lambda q:jnp.mean(run({'blocks':q['blocks'],'head':q['head'],'pair':[q['p0'],0]},x)**2))(fl)
    n=jax.tree.map(lambda a,b:a-.1*b,fl,g)
    o=lambda b:{'up':wb(b['up']),'down':wb(b['down']),'gain':b['gain']}
    case(T,'step',[m,x,F(.1)],[{'blocks':[o(b) for b in n['blocks']],'head':wb(n['head']),'pair':[n['p0'],I(3)]},l])
    d=lin(4,3);xh=x.astype(np.float16)
    case(T,'half',[d,xh],(L(xh.astype(np.float32),{k:v.astype(np.float16).astype(np.float32) for k,v in d.items()})).astype(np.float16),5e-3)
    s=np.float32(np.sqrt(sum((v**2).sum() for v in d.values())));case(T,'norms',[d],[s,wb({k:v/s for k,v in d.items()})])
    e=lin(4,3);case(T,'averages',[d,e],{k:F(.9)*d[k]+F(.1)*e[k] for k in 'wb'})
    ls={'w':f(3,4,4),'b':f(3,4)}
    def deep(ls,x):
        for i in range(3): x=jnp.tanh(x@ls['w'][i]+ls['b'][i])
        return x
    case(T,'deep',[ls,x],deep(ls,x));case(T,'deep_grad',[ls,x],wb(grad(lambda l:jnp.sum(deep(l,x)))(ls)),1e-4)
    a,b=lin(2,2),lin(2,2);case(T,'choose',[np.array(True),a,b],a);case(T,'choose',[np.array(False),a,b],b)
    case(T,'swap',[[f(3),[I(4),[F(1),F(2)]]]],None) if 0 else None
    q=f(3);case(T,'swap',[[q,[I(4),[F(1),F(2)]]]],[[F(2),F(1)],[q,I(5)]])
    # dtypes
    T='dtypes';np.seterr(all='ignore')
    x=rng.integers(0,256,9).astype(np.uint8);y=rng.integers(0,256,9).astype(np.uint8)
    case(T,'bytes',[x,y],[x+y,x-y,(x^y)&15|(x>>4),x<y,I(x.astype(int).sum())])
    x=rng.integers(-128,128,9).astype(np.int8);case(T,'small',[x],[x*np.int8(3),-x,x//np.int8(3),x.astype(np.int16)*np.int16(300)])
    x=rng.integers(-2**40,2**40,5);y=rng.integers(1,2**20,5);case(T,'wide',[x,y],[x*y+1,np.int64(x.sum()),x%y,x.astype(np.float32)])
    x=f(6).astype(np.float16);y=f(6).astype(np.float16);case(T,'halves',[x,y],[x*y+np.float16(1),np.float16(x.astype(np.float32).sum()),x.astype(np.float32)*2],5e-3)
    a=jnp.asarray(f(3,5),jnp.bfloat16);w=jnp.asarray(f(5,2),jnp.bfloat16);case(T,'brain',[a,w],jnp.asarray(a.astype(jnp.float32)@w.astype(jnp.float32),jnp.bfloat16),2e-2)
    x=f(3,5).astype(np.float16);w=f(5);case(T,'mixed',[x,w],x.astype(np.float32)@w)
    a=rng.random(7)<.5;b=rng.random(7)<.5;case(T,'logic',[a,b],[a&~b,a|b^a,np.array(a.all()),np.array(b.any()),I(a.sum())])
    x=I([-3,-1,0,2,5]);case(T,'doubles',[x],[abs(x),np.sign(x),np.maximum(x,0),x**2,np.clip(x,-2,2)])
    x=I([-7,-7,7,7,6]);y=I([2,-2,-2,2,3]);case(T,'division',[x,y],[x//y,x%y,(x/y).astype(np.float32)])
    x=rng.integers(0,2**32,6).astype(np.uint32);case(T,'shifts',[x],[x<<np.uint32(3),x>>np.uint32(5),(x<<np.uint32(13))|(x>>np.uint32(19))])
    x=F([-2.5,-1.5,-.5,.5,1.5,2.5,-.2,3.7]);case(T,'rounding',[x],[np.floor(x),np.ceil(x),np.round(x),np.trunc(x),x.astype(np.int32)])
    x=F([np.nan,np.inf,-np.inf,1,0]);case(T,'specials',[x],[np.isnan(x),np.isinf(x),np.isfinite(x),np.where(np.isnan(x),F(0),x)])
    x=f(4);case(T,'bits_of',[x],[x.view(np.int32),abs(x)])
    x=rng.integers(0,2**52,4).astype(np.uint64);case(T,'unsigned',[x],[x*np.uint64(6364136223846793)+np.uint64(1442695040888963),x.max()])
    # shapes
    T='shapes'
    for n in (4,1): 
        x=f(n,3);case(T,'empty',[x],[x.sum(0),x.max(1),x*2+1,x.T@x,x.sum()])
    x=np.zeros((0,3),np.float32);case(T,'empty',[x],[x.sum(0),np.zeros(0,np.float32),x,np.zeros((3,3),np.float32),F(0)])
    x=f(1,4);y=f(3,1);case(T,'ones_dims',[x,y],[x*y,x.sum(1,keepdims=True),x[0]])
    case(T,'scalars',[F(1.5),I(4),np.array(False)],[F(-1.5),F(6),I(3)])
    x=f(3);y=f(2);case(T,'joined',[x,y],np.concatenate([x,y,x]));z=np.zeros(0,np.float32);case(T,'joined',[z,y],y);case(T,'joined',[z,z],z)
    y=f(3);case(T,'interleave',[x,y],np.stack([x,y],-1).reshape(6))
    x=f(2,3);case(T,'tiles',[x],[np.tile(x,(2,3)),np.repeat(x,2,1)])
    for n in (7,6,2): x=f(n);case(T,'slices',[x],[x[::2],x[::-1],x[1:-1],np.roll(x,2)])
    x=f(6);case(T,'windows',[x],np.lib.stride_tricks.sliding_window_view(x,3))
    x=f(4,4);case(T,'triangle',[x],[np.tril(x),np.triu(x,1),np.diag(x).copy(),np.trace(x)])
    x=f(2,3,4);case(T,'moved',[x],[np.moveaxis(x,-1,0),x.transpose(1,0,2),x.reshape(6,4),x[:,None]])
    case(T,'sums',[x],[x.sum((0,2)),x.mean(1,keepdims=True),x.prod(),np.log(np.exp(x).sum(-1)),x.argmax(1).astype(np.int32),x.var((1,2))])
    x=f(2,3);y=f(2,4);i=I([3,1,2]);case(T,'pairs',[x,y,i],[x[...,None]-y[:,None],i[:,None]-i])
    x=f(3);y=f(3);case(T,'same',[x,y],x+y);x=f(6);case(T,'blocks',[x],[x[:3],x[3:]],dims={'N':3})
    case(T,'identity_like',[F(2)],2+np.eye(4,dtype=np.float32));case(T,'spaced',[F(1),F(3)],[np.linspace(0,1,5)*2+1,F([1,2,3]),np.arange(10,2,-2).astype(np.int32)])
    x=f(3);y=f(2);case(T,'outer_products',[x,y],[np.outer(x,y),x@x,np.outer(x,y)])
    a=f(2,3,4);b=f(2,4,5);c=f(5);case(T,'contractions',[a,b,c],[a@b,(a*a).sum((1,2)),np.einsum('bij,bjk->ik',a,b),(a@b)@c])
    # scatter
    T='scatter';x=f(6);i=I([4,1,3]);v=f(3)
    def up(fn): z=x.copy();fn(z);return z
    mul=x.copy();mul[i]*=v;mn=x.copy();mn[i]=np.minimum(mn[i],v);mx=x.copy();mx[i]=np.maximum(mx[i],v);st=x.copy();st[i]=v;ad=x.copy();ad[i]+=v
    case(T,'updates',[x,i,v],[st,ad,mul,mn,mx])
    X=f(3,4);s=X.copy();s[2]=0;t=X.copy();t[1:,-1]+=10;case(T,'rows',[X,I(2)],[X[2],s,t]);case(T,'rows',[X,I(-1)],[X[2],s,t])
    i=I([0,5,6,-1,-6,-7,100]);xx=jnp.asarray(x);case(T,'out_of_range',[x,i],[xx[jnp.asarray(i)],xx.at[i].add(1.)])
    i=I([[0,3],[1,1],[2,0]]);case(T,'along',[X,i],np.take_along_axis(X,i,1))
    w=f(5,2);t=I([[0,4,4],[1,0,2]]);case(T,'embed',[w,t],w[t]);case(T,'embed_grad',[w,t],grad(lambda w:jnp.sum(w[t]**2))(jnp.asarray(w)))
    y=I([0,3,2]);case(T,'pick',[X,y],X[np.arange(3),y]);case(T,'pick_grad',[X,y],grad(lambda x:jnp.sum(jnp.sin(x[np.arange(3),y])))(jnp.asarray(X)))
    q=f(7,2);sg=I([0,1,1,4,0,2,1]);o=np.zeros((5,2),np.float32);np.add.at(o,sg,q);case(T,'segments',[q,sg],o)
    i=I([4,1,3]);case(T,'update_grads',[x,i,v],list(grad(lambda x,v:jnp.sum(x.at[i].set(v)**2)+jnp.sum(x.at[i].add(v)**3),(0,1))(xx,jnp.asarray(v))),1e-4)
    case(T,'windowed',[x,I(5),v[:2]],[x[3:],np.concatenate([x[:4],v[:2]])])
    # wide
    T='wide';ps=[f(2) for _ in range(300)];case(T,'total',ps,sum(ps[1:],ps[0]))
    d={f'p{i}':f(3) for i in range(60)};case(T,'halve',[d],{k:v*F(.5) for k,v in d.items()})
    x=f(3);case(T,'split_up',[x],[x*F(i) for i in range(40)])
    def ch(x):
        for i in range(40): x=jnp.sin(x)*(.5+i/100)+.3*jnp.cos(x)
        return x
    case(T,'chain',[x],ch(x),1e-4);case(T,'chain_grad',[x],grad(lambda x:jnp.sum(ch(x)))(x),1e-4)
    # keys
    T='keys';R=jax.random
    def li(k):
        a,b=R.split(k);s=1/np.sqrt(4);return R.uniform(a,(4,3),minval=-s,maxval=s),R.uniform(b,(3,),minval=-s,maxval=s)
    es=[li(k) for k in R.split(R.key(3),5)];ens={'w':jnp.stack([a for a,_ in es]),'b':jnp.stack([b for _,b in es])}
    case(T,'ensemble',[I(3)],ens);x=f(2,4);case(T,'mean_vote',[ens,x],jnp.mean(jnp.stack([x@w+b for w,b in es]),0))
    k=R.key(5);k2=[k,R.fold_in(k,1)]
    case(T,'drawn',[I(5)],[jnp.stack([R.normal(k,(3,)) for k in k2]),jnp.stack([R.uniform(k,(3,)) for k in k2],1)])
    s3=R.split(R.key(2),3);case(T,'pairs',[I(2)],[jnp.stack([R.normal(R.split(k)[0],()) for k in s3]),jnp.stack([R.uniform(R.split(k)[1],(2,)) for k in s3])])
    kd=R.key_data;case(T,'joined',[I(2)],jnp.concatenate([kd(R.split(R.key(2))),kd(R.key(7))[None]]))
    case(T,'nested',[I(2)],jnp.stack([jnp.stack([R.normal(q,(2,)) for q in R.split(k,4)]) for k in s3]))
    case(T,'given',[np.asarray(kd(s3))],[jnp.stack([R.normal(k,(2,)) for k in s3]),kd(s3)[-1]])
    k=R.key(4);o=[]
    for i in range(4): k,b=R.split(k);o.append(float(R.normal(b,())))
    case(T,'walk',[I(4)],np.cumsum(F(o)))


more(globals())
file.write()
